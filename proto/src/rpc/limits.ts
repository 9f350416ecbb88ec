/** Guarantee: every limit and timing of RPC stands here with its reason. */
import type { ChannelOptions } from "@grpc/grpc-js";

/** The largest message is a Decide of 4 MiB content with its envelope; twice that leaves room. */
export const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/** No unary answer takes longer than this unless the caller says so (long polls do). */
export const DEFAULT_DEADLINE_MS = 10_000;

/**
 * A stream may last hours, but not so long without a message either way while
 * one is due. Long enough for a large file to be inspected as a whole before
 * the answer; that the peer is alive at all, keepalive sees much earlier.
 */
export const STREAM_STALL_MS = 600_000;

/** Four chunks of 256 KiB in flight; HTTP/2's default of 64 KiB stops after each quarter chunk. */
export const FLOW_CONTROL_WINDOW = 1024 * 1024;

/** Calls one connection may have open: far above what batching needs, far below exhaustion. */
export const MAX_CONCURRENT_STREAMS = 1_000;

/** A peer that vanished without a FIN is noticed within 25 s even when nothing is sent. */
const KEEPALIVE_TIME_MS = 20_000;
const KEEPALIVE_TIMEOUT_MS = 5_000;

/** Peers of one zone restart in a second or two, so look again soon. */
const RECONNECT_FIRST_MS = 100;
const RECONNECT_MOST_MS = 1_000;

/** How long a closing server lets running calls finish before it ends them. */
export const CLOSE_GRACE_MS = 2_000;

export const SERVER_OPTIONS: ChannelOptions = {
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
  "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  "grpc.keepalive_time_ms": KEEPALIVE_TIME_MS,
  "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
  "grpc.enable_channelz": 0,
};

export const CLIENT_OPTIONS: ChannelOptions = {
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
  "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  "grpc.keepalive_time_ms": KEEPALIVE_TIME_MS,
  "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
  "grpc.initial_reconnect_backoff_ms": RECONNECT_FIRST_MS,
  "grpc.max_reconnect_backoff_ms": RECONNECT_MOST_MS,
  "grpc-node.flow_control_window": FLOW_CONTROL_WINDOW,
  // Connections of different identities are never shared.
  "grpc.use_local_subchannel_pool": 1,
  // A proxy from the environment must never see traffic between services.
  "grpc.enable_http_proxy": 0,
  // Node refuses an address as server name; who the peer is, its certificate's URI says.
  "grpc.ssl_target_name_override": "localhost",
  "grpc.service_config_disable_resolution": 1,
  "grpc.enable_retries": 0,
  "grpc.enable_channelz": 0,
};
