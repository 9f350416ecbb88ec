/** Guarantee: one form for the ids of the registry, of lanes too, wherever one is read: part of names of folders and streams. */

export const ID_FORM = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Whether the registry could have it: what an operator types, before the registry is asked. */
export const isRegistryId = (text: unknown): text is string =>
  typeof text === "string" && ID_FORM.test(text);
