/**
 * Guarantee: whoever can reach the port takes at most a share of its connections, and all together
 * no more than this process has memory for: a connection costs it about 50 KiB before anyone said who it is.
 */
import type { Server, Socket } from "node:net";

export const CONNECTIONS = {
  /** 200 MiB of memory. */
  inAll: 4_096,
  /** Far more than a business system with its keep-alive needs; four addresses together fill the door, one does not. */
  perAddress: 1_024,
} as const;

/** @param refused called with the address of each connection that is ended unread. */
export function limitConnections(server: Server, refused: (address: string) => void): void {
  const byAddress = new Map<string, number>();
  let inAll = 0;
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const theirs = byAddress.get(address) ?? 0;
    if (inAll >= CONNECTIONS.inAll || theirs >= CONNECTIONS.perAddress) {
      socket.destroy();
      refused(address);
      return;
    }
    inAll += 1;
    byAddress.set(address, theirs + 1);
    socket.once("close", () => {
      inAll -= 1;
      const left = (byAddress.get(address) ?? 1) - 1;
      if (left === 0) byAddress.delete(address);
      else byAddress.set(address, left);
    });
  });
}
