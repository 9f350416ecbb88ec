;; Guarantee: the payload of a frame is copied behind its header and the frame is summed (ferry/SPEC.md §2) in
;; one pass: the same bytes as a copy, the same sum as frame-sum.as. It reads the payload and the header, writes
;; the payload's place and nothing else, and keeps nothing between calls.
;;
;; WebAssembly text, because AssemblyScript knows one memory: made into frame-copy.wasm by `npm run gen`.
(module
  ;; Where frames are made, …
  (import "env" "ring" (memory $ring 1 65536 shared))
  ;; … and where shards lie.
  (import "env" "shards" (memory $shards 1 65536))

  ;; The rounds of XXH64.
  (func $round (param $lane i64) (param $word i64) (result i64)
    (i64.mul
      (i64.rotl
        (i64.add (local.get $lane) (i64.mul (local.get $word) (i64.const 0xc2b2ae3d27d4eb4f)))
        (i64.const 31))
      (i64.const 0x9e3779b185ebca87)))

  (func $merge (param $hash i64) (param $lane i64) (result i64)
    (i64.add
      (i64.mul
        (i64.xor (local.get $hash) (call $round (i64.const 0) (local.get $lane)))
        (i64.const 0x9e3779b185ebca87))
      (i64.const 0x85ebca77c2b2ae63)))

  ;; frame: where its header of 48 bytes lies in the ring; from: its payload among the shards, of `length` bytes, at
  ;; least 56. What is summed begins 8 bytes into the header, which therefore ends 8 bytes into a stripe of 32.
  (func (export "frameCopy") (param $frame i32) (param $from i32) (param $length i32) (result i32)
    (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $hash i64)
    (local $w i64) (local $x i64) (local $y i64) (local $z i64)
    (local $to i32) (local $end i32) (local $last i32) (local $word i32)
    ;; The seed: the first four bytes as a number, most significant first.
    (local.set $word (i32.load $ring (local.get $frame)))
    (local.set $hash
      (i64.extend_i32_u
        (i32.or
          (i32.rotl (i32.and (local.get $word) (i32.const 0x00ff00ff)) (i32.const 24))
          (i32.rotl (i32.and (local.get $word) (i32.const 0xff00ff00)) (i32.const 8)))))
    (local.set $a (i64.add (local.get $hash) (i64.const 0x60ea27eeadc0b5d6)))
    (local.set $b (i64.add (local.get $hash) (i64.const 0xc2b2ae3d27d4eb4f)))
    (local.set $c (local.get $hash))
    (local.set $d (i64.sub (local.get $hash) (i64.const 0x9e3779b185ebca87)))
    ;; The first two stripes lie in the ring when the first 24 bytes of the payload do.
    (memory.copy $ring $shards
      (i32.add (local.get $frame) (i32.const 48)) (local.get $from) (i32.const 24))
    (local.set $a (call $round (local.get $a) (i64.load $ring offset=8 (local.get $frame))))
    (local.set $b (call $round (local.get $b) (i64.load $ring offset=16 (local.get $frame))))
    (local.set $c (call $round (local.get $c) (i64.load $ring offset=24 (local.get $frame))))
    (local.set $d (call $round (local.get $d) (i64.load $ring offset=32 (local.get $frame))))
    (local.set $a (call $round (local.get $a) (i64.load $ring offset=40 (local.get $frame))))
    (local.set $b (call $round (local.get $b) (i64.load $ring offset=48 (local.get $frame))))
    (local.set $c (call $round (local.get $c) (i64.load $ring offset=56 (local.get $frame))))
    (local.set $d (call $round (local.get $d) (i64.load $ring offset=64 (local.get $frame))))
    (local.set $to (i32.add (local.get $frame) (i32.const 72)))
    (local.set $from (i32.add (local.get $from) (i32.const 24)))
    (local.set $end (i32.add (local.get $frame) (i32.add (local.get $length) (i32.const 48))))
    (local.set $last (i32.sub (local.get $end) (i32.const 32)))
    ;; Whole stripes: read once, written and summed.
    (loop $stripe
      (local.set $w (i64.load $shards (local.get $from)))
      (local.set $x (i64.load $shards offset=8 (local.get $from)))
      (local.set $y (i64.load $shards offset=16 (local.get $from)))
      (local.set $z (i64.load $shards offset=24 (local.get $from)))
      (i64.store $ring (local.get $to) (local.get $w))
      (i64.store $ring offset=8 (local.get $to) (local.get $x))
      (i64.store $ring offset=16 (local.get $to) (local.get $y))
      (i64.store $ring offset=24 (local.get $to) (local.get $z))
      (local.set $a (call $round (local.get $a) (local.get $w)))
      (local.set $b (call $round (local.get $b) (local.get $x)))
      (local.set $c (call $round (local.get $c) (local.get $y)))
      (local.set $d (call $round (local.get $d) (local.get $z)))
      (local.set $from (i32.add (local.get $from) (i32.const 32)))
      (local.set $to (i32.add (local.get $to) (i32.const 32)))
      (br_if $stripe (i32.le_u (local.get $to) (local.get $last))))
    ;; What is left, less than a stripe: copied, then summed where it lies.
    (memory.copy $ring $shards
      (local.get $to) (local.get $from) (i32.sub (local.get $end) (local.get $to)))
    (local.set $hash
      (i64.add
        (i64.add (i64.rotl (local.get $a) (i64.const 1)) (i64.rotl (local.get $b) (i64.const 7)))
        (i64.add (i64.rotl (local.get $c) (i64.const 12)) (i64.rotl (local.get $d) (i64.const 18)))))
    (local.set $hash (call $merge (local.get $hash) (local.get $a)))
    (local.set $hash (call $merge (local.get $hash) (local.get $b)))
    (local.set $hash (call $merge (local.get $hash) (local.get $c)))
    (local.set $hash (call $merge (local.get $hash) (local.get $d)))
    ;; All that is summed: the header but for its first 8 bytes, and the payload.
    (local.set $hash
      (i64.add
        (local.get $hash)
        (i64.extend_i32_u (i32.add (local.get $length) (i32.const 40)))))
    (block $wordsOver
      (loop $words
        (br_if $wordsOver (i32.gt_u (i32.add (local.get $to) (i32.const 8)) (local.get $end)))
        (local.set $hash
          (i64.add
            (i64.mul
              (i64.rotl
                (i64.xor
                  (local.get $hash)
                  (call $round (i64.const 0) (i64.load $ring (local.get $to))))
                (i64.const 27))
              (i64.const 0x9e3779b185ebca87))
            (i64.const 0x85ebca77c2b2ae63)))
        (local.set $to (i32.add (local.get $to) (i32.const 8)))
        (br $words)))
    (if (i32.le_u (i32.add (local.get $to) (i32.const 4)) (local.get $end))
      (then
        (local.set $hash
          (i64.add
            (i64.mul
              (i64.rotl
                (i64.xor
                  (local.get $hash)
                  (i64.mul (i64.load32_u $ring (local.get $to)) (i64.const 0x9e3779b185ebca87)))
                (i64.const 23))
              (i64.const 0xc2b2ae3d27d4eb4f))
            (i64.const 0x165667b19e3779f9)))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))))
    (block $bytesOver
      (loop $bytes
        (br_if $bytesOver (i32.ge_u (local.get $to) (local.get $end)))
        (local.set $hash
          (i64.mul
            (i64.rotl
              (i64.xor
                (local.get $hash)
                (i64.mul (i64.load8_u $ring (local.get $to)) (i64.const 0x27d4eb2f165667c5)))
              (i64.const 11))
            (i64.const 0x9e3779b185ebca87)))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (br $bytes)))
    (local.set $hash
      (i64.mul
        (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 33)))
        (i64.const 0xc2b2ae3d27d4eb4f)))
    (local.set $hash
      (i64.mul
        (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 29)))
        (i64.const 0x165667b19e3779f9)))
    (i32.wrap_i64 (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 32))))))
