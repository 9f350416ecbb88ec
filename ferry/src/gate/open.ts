/**
 * Guarantee: the gate is opened by the fast, kernel-locked driver where the
 * system has it, else by the fallback, never silently, and never by the
 * fallback in production mode.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { GateAddress, GateReceiver, GateSender } from "./gate.ts";

export interface OpenOptions {
  readonly mode: "demo" | "production";
  /** "auto" unless a test or an operator asks for the fallback. */
  readonly socket?: "auto" | "dgram";
  /** Told why the fallback was taken. */
  readonly warn: (reason: string) => void;
  readonly failed: (error: unknown) => void;
}

function fallback(options: OpenOptions, reason: string): void {
  if (options.mode === "production") {
    throw new GatewayError("ferry.gate-unlocked", { detail: reason });
  }
  options.warn(reason);
}

/** Why the fast driver cannot be had here, or undefined. */
function unavailable(options: OpenOptions): string | undefined {
  if (options.socket === "dgram") return "asked for by configuration";
  return process.platform === "linux" ? undefined : `no kernel filter on ${process.platform}`;
}

/**
 * @param rate wire bytes per second
 * @throws GatewayError `ferry.gate-unlocked`, `ferry.gate-unavailable`, `config.invalid`
 */
export async function openSender(
  address: GateAddress,
  frameSize: number,
  rate: number,
  options: OpenOptions,
): Promise<GateSender> {
  let reason = unavailable(options);
  if (reason === undefined) {
    try {
      const { UdpSender } = await import("./udp-sender.ts");
      const sender = new UdpSender(address, frameSize, rate);
      sender.onFailure(options.failed);
      return sender;
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      reason = "native binding not loadable";
    }
  }
  fallback(options, reason);
  const { DgramSender } = await import("./dgram-sender.ts");
  return await DgramSender.open(address, frameSize, rate);
}

/**
 * @param receiveBuffer bytes; production mode refuses to start with less, a
 * demonstration is told so
 * @throws GatewayError `ferry.gate-unlocked`, `ferry.gate-unavailable`, `ferry.receive-buffer-short`, `config.invalid`
 */
export async function openReceiver(
  address: GateAddress,
  receiveBuffer: number,
  options: OpenOptions,
): Promise<GateReceiver> {
  const receiver = await openAnyReceiver(address, receiveBuffer, options);
  if (receiver.receiveBuffer < receiveBuffer) {
    const detail = `${receiver.receiveBuffer} of ${receiveBuffer} bytes: raise net.core.rmem_max`;
    if (options.mode === "production") {
      await receiver.close();
      throw new GatewayError("ferry.receive-buffer-short", { detail });
    }
    options.warn(`receive buffer ${detail}`);
  }
  return receiver;
}

async function openAnyReceiver(
  address: GateAddress,
  receiveBuffer: number,
  options: OpenOptions,
): Promise<GateReceiver> {
  let reason = unavailable(options);
  if (reason === undefined) {
    try {
      const { UdpReceiver } = await import("./udp-receiver.ts");
      const receiver = new UdpReceiver(address, receiveBuffer);
      receiver.onFailure(options.failed);
      return receiver;
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      reason = "native binding not loadable";
    }
  }
  fallback(options, reason);
  const { DgramReceiver } = await import("./dgram-receiver.ts");
  return await DgramReceiver.open(address, receiveBuffer);
}
