-- A decryption key in a cipher machine is not destroyed here: that its time is over is told, once.

ALTER TABLE ended_key DROP CONSTRAINT ended_key_state_check;
ALTER TABLE ended_key ADD CONSTRAINT ended_key_state_check
  CHECK (state IN ('destroying', 'destroyed', 'due'));
