/** Guarantee: seal, which makes the files of the outbox, and this program, which copies, leases out and removes them, name them alike and give them the same rights. */

/** One plain name with the bundle's ending; nothing that could leave the directory. */
export const OUTBOX_FILE = /^[0-9a-f-]{36}\.lfb$/;
/** ferry-tx runs as another user of the same group and only reads. */
export const OUTBOX_FILE_MODE = 0o640;

/** @param id as `formatId` writes it */
export const outboxFileName = (id: string): string => `${id}.lfb`;
