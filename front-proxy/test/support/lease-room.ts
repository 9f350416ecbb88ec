/** Guarantee: what a ferry says that has room for so many bundles of any class and size. */
export const roomFor = (bundles: number) => {
  const room = { bundles, anySize: bundles, bytes: 0 };
  return { max: bundles, urgent: room, normal: room, bulk: room, repeated: room };
};
