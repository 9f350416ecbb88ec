import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace lightferry. */
export namespace lightferry {

    /** Namespace admin. */
    namespace admin {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of an IssueTokenRequest.
             * @deprecated Use lightferry.admin.v1.IssueTokenRequest.$Properties instead.
             */
            interface IIssueTokenRequest extends lightferry.admin.v1.IssueTokenRequest.$Properties {
            }

            /** Represents an IssueTokenRequest. */
            class IssueTokenRequest {

                /**
                 * Constructs a new IssueTokenRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.IssueTokenRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** IssueTokenRequest caller. */
                caller: string;

                /** IssueTokenRequest days. */
                days: number;

                /** IssueTokenRequest note. */
                note: string;

                /**
                 * Encodes the specified IssueTokenRequest message. Does not implicitly {@link lightferry.admin.v1.IssueTokenRequest.verify|verify} messages.
                 * @param message IssueTokenRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.IssueTokenRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an IssueTokenRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.IssueTokenRequest & lightferry.admin.v1.IssueTokenRequest.$Shape} IssueTokenRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.IssueTokenRequest & lightferry.admin.v1.IssueTokenRequest.$Shape;
            }

            namespace IssueTokenRequest {

                /** Properties of an IssueTokenRequest. */
                interface $Properties {

                    /** IssueTokenRequest caller */
                    caller?: (string|null);

                    /** IssueTokenRequest days */
                    days?: (number|null);

                    /** IssueTokenRequest note */
                    note?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an IssueTokenRequest. */
                type $Shape = lightferry.admin.v1.IssueTokenRequest.$Properties;
            }

            /**
             * Properties of an IssueTokenResponse.
             * @deprecated Use lightferry.admin.v1.IssueTokenResponse.$Properties instead.
             */
            interface IIssueTokenResponse extends lightferry.admin.v1.IssueTokenResponse.$Properties {
            }

            /** Represents an IssueTokenResponse. */
            class IssueTokenResponse {

                /**
                 * Constructs a new IssueTokenResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.IssueTokenResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** IssueTokenResponse tokenId. */
                tokenId: string;

                /** IssueTokenResponse token. */
                token: string;

                /** IssueTokenResponse expiresMs. */
                expiresMs: number;

                /**
                 * Encodes the specified IssueTokenResponse message. Does not implicitly {@link lightferry.admin.v1.IssueTokenResponse.verify|verify} messages.
                 * @param message IssueTokenResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.IssueTokenResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an IssueTokenResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.IssueTokenResponse & lightferry.admin.v1.IssueTokenResponse.$Shape} IssueTokenResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.IssueTokenResponse & lightferry.admin.v1.IssueTokenResponse.$Shape;
            }

            namespace IssueTokenResponse {

                /** Properties of an IssueTokenResponse. */
                interface $Properties {

                    /** IssueTokenResponse tokenId */
                    tokenId?: (string|null);

                    /** IssueTokenResponse token */
                    token?: (string|null);

                    /** IssueTokenResponse expiresMs */
                    expiresMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an IssueTokenResponse. */
                type $Shape = lightferry.admin.v1.IssueTokenResponse.$Properties;
            }

            /**
             * Properties of a RotateTokenRequest.
             * @deprecated Use lightferry.admin.v1.RotateTokenRequest.$Properties instead.
             */
            interface IRotateTokenRequest extends lightferry.admin.v1.RotateTokenRequest.$Properties {
            }

            /** Represents a RotateTokenRequest. */
            class RotateTokenRequest {

                /**
                 * Constructs a new RotateTokenRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.RotateTokenRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RotateTokenRequest tokenId. */
                tokenId: string;

                /** RotateTokenRequest overlapSeconds. */
                overlapSeconds: number;

                /** RotateTokenRequest days. */
                days: number;

                /**
                 * Encodes the specified RotateTokenRequest message. Does not implicitly {@link lightferry.admin.v1.RotateTokenRequest.verify|verify} messages.
                 * @param message RotateTokenRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.RotateTokenRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RotateTokenRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.RotateTokenRequest & lightferry.admin.v1.RotateTokenRequest.$Shape} RotateTokenRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.RotateTokenRequest & lightferry.admin.v1.RotateTokenRequest.$Shape;
            }

            namespace RotateTokenRequest {

                /** Properties of a RotateTokenRequest. */
                interface $Properties {

                    /** RotateTokenRequest tokenId */
                    tokenId?: (string|null);

                    /** RotateTokenRequest overlapSeconds */
                    overlapSeconds?: (number|null);

                    /** RotateTokenRequest days */
                    days?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RotateTokenRequest. */
                type $Shape = lightferry.admin.v1.RotateTokenRequest.$Properties;
            }

            /**
             * Properties of a RotateTokenResponse.
             * @deprecated Use lightferry.admin.v1.RotateTokenResponse.$Properties instead.
             */
            interface IRotateTokenResponse extends lightferry.admin.v1.RotateTokenResponse.$Properties {
            }

            /** Represents a RotateTokenResponse. */
            class RotateTokenResponse {

                /**
                 * Constructs a new RotateTokenResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.RotateTokenResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RotateTokenResponse tokenId. */
                tokenId: string;

                /** RotateTokenResponse token. */
                token: string;

                /** RotateTokenResponse expiresMs. */
                expiresMs: number;

                /**
                 * Encodes the specified RotateTokenResponse message. Does not implicitly {@link lightferry.admin.v1.RotateTokenResponse.verify|verify} messages.
                 * @param message RotateTokenResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.RotateTokenResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RotateTokenResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.RotateTokenResponse & lightferry.admin.v1.RotateTokenResponse.$Shape} RotateTokenResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.RotateTokenResponse & lightferry.admin.v1.RotateTokenResponse.$Shape;
            }

            namespace RotateTokenResponse {

                /** Properties of a RotateTokenResponse. */
                interface $Properties {

                    /** RotateTokenResponse tokenId */
                    tokenId?: (string|null);

                    /** RotateTokenResponse token */
                    token?: (string|null);

                    /** RotateTokenResponse expiresMs */
                    expiresMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RotateTokenResponse. */
                type $Shape = lightferry.admin.v1.RotateTokenResponse.$Properties;
            }

            /**
             * Properties of a RevokeTokenRequest.
             * @deprecated Use lightferry.admin.v1.RevokeTokenRequest.$Properties instead.
             */
            interface IRevokeTokenRequest extends lightferry.admin.v1.RevokeTokenRequest.$Properties {
            }

            /** Represents a RevokeTokenRequest. */
            class RevokeTokenRequest {

                /**
                 * Constructs a new RevokeTokenRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.RevokeTokenRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RevokeTokenRequest tokenId. */
                tokenId: string;

                /**
                 * Encodes the specified RevokeTokenRequest message. Does not implicitly {@link lightferry.admin.v1.RevokeTokenRequest.verify|verify} messages.
                 * @param message RevokeTokenRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.RevokeTokenRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RevokeTokenRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.RevokeTokenRequest & lightferry.admin.v1.RevokeTokenRequest.$Shape} RevokeTokenRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.RevokeTokenRequest & lightferry.admin.v1.RevokeTokenRequest.$Shape;
            }

            namespace RevokeTokenRequest {

                /** Properties of a RevokeTokenRequest. */
                interface $Properties {

                    /** RevokeTokenRequest tokenId */
                    tokenId?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RevokeTokenRequest. */
                type $Shape = lightferry.admin.v1.RevokeTokenRequest.$Properties;
            }

            /**
             * Properties of a RevokeTokenResponse.
             * @deprecated Use lightferry.admin.v1.RevokeTokenResponse.$Properties instead.
             */
            interface IRevokeTokenResponse extends lightferry.admin.v1.RevokeTokenResponse.$Properties {
            }

            /** Represents a RevokeTokenResponse. */
            class RevokeTokenResponse {

                /**
                 * Constructs a new RevokeTokenResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.RevokeTokenResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified RevokeTokenResponse message. Does not implicitly {@link lightferry.admin.v1.RevokeTokenResponse.verify|verify} messages.
                 * @param message RevokeTokenResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.RevokeTokenResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RevokeTokenResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.RevokeTokenResponse & lightferry.admin.v1.RevokeTokenResponse.$Shape} RevokeTokenResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.RevokeTokenResponse & lightferry.admin.v1.RevokeTokenResponse.$Shape;
            }

            namespace RevokeTokenResponse {

                /** Properties of a RevokeTokenResponse. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RevokeTokenResponse. */
                type $Shape = lightferry.admin.v1.RevokeTokenResponse.$Properties;
            }

            /**
             * Properties of a ListTokensRequest.
             * @deprecated Use lightferry.admin.v1.ListTokensRequest.$Properties instead.
             */
            interface IListTokensRequest extends lightferry.admin.v1.ListTokensRequest.$Properties {
            }

            /** Represents a ListTokensRequest. */
            class ListTokensRequest {

                /**
                 * Constructs a new ListTokensRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ListTokensRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified ListTokensRequest message. Does not implicitly {@link lightferry.admin.v1.ListTokensRequest.verify|verify} messages.
                 * @param message ListTokensRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ListTokensRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ListTokensRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ListTokensRequest & lightferry.admin.v1.ListTokensRequest.$Shape} ListTokensRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ListTokensRequest & lightferry.admin.v1.ListTokensRequest.$Shape;
            }

            namespace ListTokensRequest {

                /** Properties of a ListTokensRequest. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ListTokensRequest. */
                type $Shape = lightferry.admin.v1.ListTokensRequest.$Properties;
            }

            /**
             * Properties of a TokenInfo.
             * @deprecated Use lightferry.admin.v1.TokenInfo.$Properties instead.
             */
            interface ITokenInfo extends lightferry.admin.v1.TokenInfo.$Properties {
            }

            /** Represents a TokenInfo. */
            class TokenInfo {

                /**
                 * Constructs a new TokenInfo.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.TokenInfo.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** TokenInfo tokenId. */
                tokenId: string;

                /** TokenInfo caller. */
                caller: string;

                /** TokenInfo createdMs. */
                createdMs: number;

                /** TokenInfo expiresMs. */
                expiresMs: number;

                /** TokenInfo revokedMs. */
                revokedMs: number;

                /** TokenInfo lastUsedMs. */
                lastUsedMs: number;

                /** TokenInfo note. */
                note: string;

                /**
                 * Encodes the specified TokenInfo message. Does not implicitly {@link lightferry.admin.v1.TokenInfo.verify|verify} messages.
                 * @param message TokenInfo message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.TokenInfo.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a TokenInfo message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.TokenInfo & lightferry.admin.v1.TokenInfo.$Shape} TokenInfo
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.TokenInfo & lightferry.admin.v1.TokenInfo.$Shape;
            }

            namespace TokenInfo {

                /** Properties of a TokenInfo. */
                interface $Properties {

                    /** TokenInfo tokenId */
                    tokenId?: (string|null);

                    /** TokenInfo caller */
                    caller?: (string|null);

                    /** TokenInfo createdMs */
                    createdMs?: (number|null);

                    /** TokenInfo expiresMs */
                    expiresMs?: (number|null);

                    /** TokenInfo revokedMs */
                    revokedMs?: (number|null);

                    /** TokenInfo lastUsedMs */
                    lastUsedMs?: (number|null);

                    /** TokenInfo note */
                    note?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a TokenInfo. */
                type $Shape = lightferry.admin.v1.TokenInfo.$Properties;
            }

            /**
             * Properties of a ListTokensResponse.
             * @deprecated Use lightferry.admin.v1.ListTokensResponse.$Properties instead.
             */
            interface IListTokensResponse extends lightferry.admin.v1.ListTokensResponse.$Properties {
            }

            /** Represents a ListTokensResponse. */
            class ListTokensResponse {

                /**
                 * Constructs a new ListTokensResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ListTokensResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ListTokensResponse tokens. */
                tokens: lightferry.admin.v1.TokenInfo.$Properties[];

                /**
                 * Encodes the specified ListTokensResponse message. Does not implicitly {@link lightferry.admin.v1.ListTokensResponse.verify|verify} messages.
                 * @param message ListTokensResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ListTokensResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ListTokensResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ListTokensResponse & lightferry.admin.v1.ListTokensResponse.$Shape} ListTokensResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ListTokensResponse & lightferry.admin.v1.ListTokensResponse.$Shape;
            }

            namespace ListTokensResponse {

                /** Properties of a ListTokensResponse. */
                interface $Properties {

                    /** ListTokensResponse tokens */
                    tokens?: (lightferry.admin.v1.TokenInfo.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ListTokensResponse. */
                type $Shape = lightferry.admin.v1.ListTokensResponse.$Properties;
            }

            /**
             * Properties of a RetryExchangeRequest.
             * @deprecated Use lightferry.admin.v1.RetryExchangeRequest.$Properties instead.
             */
            interface IRetryExchangeRequest extends lightferry.admin.v1.RetryExchangeRequest.$Properties {
            }

            /** Represents a RetryExchangeRequest. */
            class RetryExchangeRequest {

                /**
                 * Constructs a new RetryExchangeRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.RetryExchangeRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RetryExchangeRequest exchangeId. */
                exchangeId: Uint8Array;

                /**
                 * Encodes the specified RetryExchangeRequest message. Does not implicitly {@link lightferry.admin.v1.RetryExchangeRequest.verify|verify} messages.
                 * @param message RetryExchangeRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.RetryExchangeRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RetryExchangeRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.RetryExchangeRequest & lightferry.admin.v1.RetryExchangeRequest.$Shape} RetryExchangeRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.RetryExchangeRequest & lightferry.admin.v1.RetryExchangeRequest.$Shape;
            }

            namespace RetryExchangeRequest {

                /** Properties of a RetryExchangeRequest. */
                interface $Properties {

                    /** RetryExchangeRequest exchangeId */
                    exchangeId?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RetryExchangeRequest. */
                type $Shape = lightferry.admin.v1.RetryExchangeRequest.$Properties;
            }

            /**
             * Properties of a RetryExchangeResponse.
             * @deprecated Use lightferry.admin.v1.RetryExchangeResponse.$Properties instead.
             */
            interface IRetryExchangeResponse extends lightferry.admin.v1.RetryExchangeResponse.$Properties {
            }

            /** Represents a RetryExchangeResponse. */
            class RetryExchangeResponse {

                /**
                 * Constructs a new RetryExchangeResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.RetryExchangeResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RetryExchangeResponse state. */
                state: string;

                /**
                 * Encodes the specified RetryExchangeResponse message. Does not implicitly {@link lightferry.admin.v1.RetryExchangeResponse.verify|verify} messages.
                 * @param message RetryExchangeResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.RetryExchangeResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RetryExchangeResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.RetryExchangeResponse & lightferry.admin.v1.RetryExchangeResponse.$Shape} RetryExchangeResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.RetryExchangeResponse & lightferry.admin.v1.RetryExchangeResponse.$Shape;
            }

            namespace RetryExchangeResponse {

                /** Properties of a RetryExchangeResponse. */
                interface $Properties {

                    /** RetryExchangeResponse state */
                    state?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RetryExchangeResponse. */
                type $Shape = lightferry.admin.v1.RetryExchangeResponse.$Properties;
            }

            /**
             * Properties of a CancelExchangeRequest.
             * @deprecated Use lightferry.admin.v1.CancelExchangeRequest.$Properties instead.
             */
            interface ICancelExchangeRequest extends lightferry.admin.v1.CancelExchangeRequest.$Properties {
            }

            /** Represents a CancelExchangeRequest. */
            class CancelExchangeRequest {

                /**
                 * Constructs a new CancelExchangeRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.CancelExchangeRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** CancelExchangeRequest exchangeId. */
                exchangeId: Uint8Array;

                /** CancelExchangeRequest reason. */
                reason: string;

                /**
                 * Encodes the specified CancelExchangeRequest message. Does not implicitly {@link lightferry.admin.v1.CancelExchangeRequest.verify|verify} messages.
                 * @param message CancelExchangeRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.CancelExchangeRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a CancelExchangeRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.CancelExchangeRequest & lightferry.admin.v1.CancelExchangeRequest.$Shape} CancelExchangeRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.CancelExchangeRequest & lightferry.admin.v1.CancelExchangeRequest.$Shape;
            }

            namespace CancelExchangeRequest {

                /** Properties of a CancelExchangeRequest. */
                interface $Properties {

                    /** CancelExchangeRequest exchangeId */
                    exchangeId?: (Uint8Array|null);

                    /** CancelExchangeRequest reason */
                    reason?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a CancelExchangeRequest. */
                type $Shape = lightferry.admin.v1.CancelExchangeRequest.$Properties;
            }

            /**
             * Properties of a CancelExchangeResponse.
             * @deprecated Use lightferry.admin.v1.CancelExchangeResponse.$Properties instead.
             */
            interface ICancelExchangeResponse extends lightferry.admin.v1.CancelExchangeResponse.$Properties {
            }

            /** Represents a CancelExchangeResponse. */
            class CancelExchangeResponse {

                /**
                 * Constructs a new CancelExchangeResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.CancelExchangeResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** CancelExchangeResponse state. */
                state: string;

                /**
                 * Encodes the specified CancelExchangeResponse message. Does not implicitly {@link lightferry.admin.v1.CancelExchangeResponse.verify|verify} messages.
                 * @param message CancelExchangeResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.CancelExchangeResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a CancelExchangeResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.CancelExchangeResponse & lightferry.admin.v1.CancelExchangeResponse.$Shape} CancelExchangeResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.CancelExchangeResponse & lightferry.admin.v1.CancelExchangeResponse.$Shape;
            }

            namespace CancelExchangeResponse {

                /** Properties of a CancelExchangeResponse. */
                interface $Properties {

                    /** CancelExchangeResponse state */
                    state?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a CancelExchangeResponse. */
                type $Shape = lightferry.admin.v1.CancelExchangeResponse.$Properties;
            }

            /**
             * Properties of a ReturnExchangeRequest.
             * @deprecated Use lightferry.admin.v1.ReturnExchangeRequest.$Properties instead.
             */
            interface IReturnExchangeRequest extends lightferry.admin.v1.ReturnExchangeRequest.$Properties {
            }

            /** Represents a ReturnExchangeRequest. */
            class ReturnExchangeRequest {

                /**
                 * Constructs a new ReturnExchangeRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ReturnExchangeRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ReturnExchangeRequest exchangeId. */
                exchangeId: Uint8Array;

                /** ReturnExchangeRequest reason. */
                reason: string;

                /**
                 * Encodes the specified ReturnExchangeRequest message. Does not implicitly {@link lightferry.admin.v1.ReturnExchangeRequest.verify|verify} messages.
                 * @param message ReturnExchangeRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ReturnExchangeRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ReturnExchangeRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ReturnExchangeRequest & lightferry.admin.v1.ReturnExchangeRequest.$Shape} ReturnExchangeRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ReturnExchangeRequest & lightferry.admin.v1.ReturnExchangeRequest.$Shape;
            }

            namespace ReturnExchangeRequest {

                /** Properties of a ReturnExchangeRequest. */
                interface $Properties {

                    /** ReturnExchangeRequest exchangeId */
                    exchangeId?: (Uint8Array|null);

                    /** ReturnExchangeRequest reason */
                    reason?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ReturnExchangeRequest. */
                type $Shape = lightferry.admin.v1.ReturnExchangeRequest.$Properties;
            }

            /**
             * Properties of a ReturnExchangeResponse.
             * @deprecated Use lightferry.admin.v1.ReturnExchangeResponse.$Properties instead.
             */
            interface IReturnExchangeResponse extends lightferry.admin.v1.ReturnExchangeResponse.$Properties {
            }

            /** Represents a ReturnExchangeResponse. */
            class ReturnExchangeResponse {

                /**
                 * Constructs a new ReturnExchangeResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ReturnExchangeResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ReturnExchangeResponse state. */
                state: string;

                /**
                 * Encodes the specified ReturnExchangeResponse message. Does not implicitly {@link lightferry.admin.v1.ReturnExchangeResponse.verify|verify} messages.
                 * @param message ReturnExchangeResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ReturnExchangeResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ReturnExchangeResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ReturnExchangeResponse & lightferry.admin.v1.ReturnExchangeResponse.$Shape} ReturnExchangeResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ReturnExchangeResponse & lightferry.admin.v1.ReturnExchangeResponse.$Shape;
            }

            namespace ReturnExchangeResponse {

                /** Properties of a ReturnExchangeResponse. */
                interface $Properties {

                    /** ReturnExchangeResponse state */
                    state?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ReturnExchangeResponse. */
                type $Shape = lightferry.admin.v1.ReturnExchangeResponse.$Properties;
            }

            /**
             * Properties of a GetExchangeRequest.
             * @deprecated Use lightferry.admin.v1.GetExchangeRequest.$Properties instead.
             */
            interface IGetExchangeRequest extends lightferry.admin.v1.GetExchangeRequest.$Properties {
            }

            /** Represents a GetExchangeRequest. */
            class GetExchangeRequest {

                /**
                 * Constructs a new GetExchangeRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.GetExchangeRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetExchangeRequest exchangeId. */
                exchangeId: Uint8Array;

                /**
                 * Encodes the specified GetExchangeRequest message. Does not implicitly {@link lightferry.admin.v1.GetExchangeRequest.verify|verify} messages.
                 * @param message GetExchangeRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.GetExchangeRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetExchangeRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.GetExchangeRequest & lightferry.admin.v1.GetExchangeRequest.$Shape} GetExchangeRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.GetExchangeRequest & lightferry.admin.v1.GetExchangeRequest.$Shape;
            }

            namespace GetExchangeRequest {

                /** Properties of a GetExchangeRequest. */
                interface $Properties {

                    /** GetExchangeRequest exchangeId */
                    exchangeId?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetExchangeRequest. */
                type $Shape = lightferry.admin.v1.GetExchangeRequest.$Properties;
            }

            /**
             * Properties of a GetExchangeResponse.
             * @deprecated Use lightferry.admin.v1.GetExchangeResponse.$Properties instead.
             */
            interface IGetExchangeResponse extends lightferry.admin.v1.GetExchangeResponse.$Properties {
            }

            /** Represents a GetExchangeResponse. */
            class GetExchangeResponse {

                /**
                 * Constructs a new GetExchangeResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.GetExchangeResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetExchangeResponse json. */
                json: string;

                /**
                 * Encodes the specified GetExchangeResponse message. Does not implicitly {@link lightferry.admin.v1.GetExchangeResponse.verify|verify} messages.
                 * @param message GetExchangeResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.GetExchangeResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetExchangeResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.GetExchangeResponse & lightferry.admin.v1.GetExchangeResponse.$Shape} GetExchangeResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.GetExchangeResponse & lightferry.admin.v1.GetExchangeResponse.$Shape;
            }

            namespace GetExchangeResponse {

                /** Properties of a GetExchangeResponse. */
                interface $Properties {

                    /** GetExchangeResponse json */
                    json?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetExchangeResponse. */
                type $Shape = lightferry.admin.v1.GetExchangeResponse.$Properties;
            }

            /**
             * Properties of a ListExchangesRequest.
             * @deprecated Use lightferry.admin.v1.ListExchangesRequest.$Properties instead.
             */
            interface IListExchangesRequest extends lightferry.admin.v1.ListExchangesRequest.$Properties {
            }

            /** Represents a ListExchangesRequest. */
            class ListExchangesRequest {

                /**
                 * Constructs a new ListExchangesRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ListExchangesRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ListExchangesRequest state. */
                state: string;

                /** ListExchangesRequest lane. */
                lane: string;

                /** ListExchangesRequest service. */
                service: string;

                /** ListExchangesRequest limit. */
                limit: number;

                /** ListExchangesRequest after. */
                after: string;

                /**
                 * Encodes the specified ListExchangesRequest message. Does not implicitly {@link lightferry.admin.v1.ListExchangesRequest.verify|verify} messages.
                 * @param message ListExchangesRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ListExchangesRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ListExchangesRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ListExchangesRequest & lightferry.admin.v1.ListExchangesRequest.$Shape} ListExchangesRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ListExchangesRequest & lightferry.admin.v1.ListExchangesRequest.$Shape;
            }

            namespace ListExchangesRequest {

                /** Properties of a ListExchangesRequest. */
                interface $Properties {

                    /** ListExchangesRequest state */
                    state?: (string|null);

                    /** ListExchangesRequest lane */
                    lane?: (string|null);

                    /** ListExchangesRequest service */
                    service?: (string|null);

                    /** ListExchangesRequest limit */
                    limit?: (number|null);

                    /** ListExchangesRequest after */
                    after?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ListExchangesRequest. */
                type $Shape = lightferry.admin.v1.ListExchangesRequest.$Properties;
            }

            /**
             * Properties of a ListExchangesResponse.
             * @deprecated Use lightferry.admin.v1.ListExchangesResponse.$Properties instead.
             */
            interface IListExchangesResponse extends lightferry.admin.v1.ListExchangesResponse.$Properties {
            }

            /** Represents a ListExchangesResponse. */
            class ListExchangesResponse {

                /**
                 * Constructs a new ListExchangesResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ListExchangesResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ListExchangesResponse json. */
                json: string;

                /**
                 * Encodes the specified ListExchangesResponse message. Does not implicitly {@link lightferry.admin.v1.ListExchangesResponse.verify|verify} messages.
                 * @param message ListExchangesResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ListExchangesResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ListExchangesResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ListExchangesResponse & lightferry.admin.v1.ListExchangesResponse.$Shape} ListExchangesResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ListExchangesResponse & lightferry.admin.v1.ListExchangesResponse.$Shape;
            }

            namespace ListExchangesResponse {

                /** Properties of a ListExchangesResponse. */
                interface $Properties {

                    /** ListExchangesResponse json */
                    json?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ListExchangesResponse. */
                type $Shape = lightferry.admin.v1.ListExchangesResponse.$Properties;
            }

            /**
             * Properties of a ListQuarantineRequest.
             * @deprecated Use lightferry.admin.v1.ListQuarantineRequest.$Properties instead.
             */
            interface IListQuarantineRequest extends lightferry.admin.v1.ListQuarantineRequest.$Properties {
            }

            /** Represents a ListQuarantineRequest. */
            class ListQuarantineRequest {

                /**
                 * Constructs a new ListQuarantineRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ListQuarantineRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ListQuarantineRequest bundleId. */
                bundleId: Uint8Array;

                /**
                 * Encodes the specified ListQuarantineRequest message. Does not implicitly {@link lightferry.admin.v1.ListQuarantineRequest.verify|verify} messages.
                 * @param message ListQuarantineRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ListQuarantineRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ListQuarantineRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ListQuarantineRequest & lightferry.admin.v1.ListQuarantineRequest.$Shape} ListQuarantineRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ListQuarantineRequest & lightferry.admin.v1.ListQuarantineRequest.$Shape;
            }

            namespace ListQuarantineRequest {

                /** Properties of a ListQuarantineRequest. */
                interface $Properties {

                    /** ListQuarantineRequest bundleId */
                    bundleId?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ListQuarantineRequest. */
                type $Shape = lightferry.admin.v1.ListQuarantineRequest.$Properties;
            }

            /**
             * Properties of a QuarantinedBundle.
             * @deprecated Use lightferry.admin.v1.QuarantinedBundle.$Properties instead.
             */
            interface IQuarantinedBundle extends lightferry.admin.v1.QuarantinedBundle.$Properties {
            }

            /** Represents a QuarantinedBundle. */
            class QuarantinedBundle {

                /**
                 * Constructs a new QuarantinedBundle.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.QuarantinedBundle.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** QuarantinedBundle bundleId. */
                bundleId: Uint8Array;

                /** QuarantinedBundle headerDigest. */
                headerDigest: Uint8Array;

                /** QuarantinedBundle lane. */
                lane: string;

                /** QuarantinedBundle stream. */
                stream: string;

                /** QuarantinedBundle sequence. */
                sequence: number;

                /** QuarantinedBundle code. */
                code: string;

                /** QuarantinedBundle sinceMs. */
                sinceMs: number;

                /**
                 * Encodes the specified QuarantinedBundle message. Does not implicitly {@link lightferry.admin.v1.QuarantinedBundle.verify|verify} messages.
                 * @param message QuarantinedBundle message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.QuarantinedBundle.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a QuarantinedBundle message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.QuarantinedBundle & lightferry.admin.v1.QuarantinedBundle.$Shape} QuarantinedBundle
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.QuarantinedBundle & lightferry.admin.v1.QuarantinedBundle.$Shape;
            }

            namespace QuarantinedBundle {

                /** Properties of a QuarantinedBundle. */
                interface $Properties {

                    /** QuarantinedBundle bundleId */
                    bundleId?: (Uint8Array|null);

                    /** QuarantinedBundle headerDigest */
                    headerDigest?: (Uint8Array|null);

                    /** QuarantinedBundle lane */
                    lane?: (string|null);

                    /** QuarantinedBundle stream */
                    stream?: (string|null);

                    /** QuarantinedBundle sequence */
                    sequence?: (number|null);

                    /** QuarantinedBundle code */
                    code?: (string|null);

                    /** QuarantinedBundle sinceMs */
                    sinceMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a QuarantinedBundle. */
                type $Shape = lightferry.admin.v1.QuarantinedBundle.$Properties;
            }

            /**
             * Properties of a ListQuarantineResponse.
             * @deprecated Use lightferry.admin.v1.ListQuarantineResponse.$Properties instead.
             */
            interface IListQuarantineResponse extends lightferry.admin.v1.ListQuarantineResponse.$Properties {
            }

            /** Represents a ListQuarantineResponse. */
            class ListQuarantineResponse {

                /**
                 * Constructs a new ListQuarantineResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ListQuarantineResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ListQuarantineResponse bundles. */
                bundles: lightferry.admin.v1.QuarantinedBundle.$Properties[];

                /**
                 * Encodes the specified ListQuarantineResponse message. Does not implicitly {@link lightferry.admin.v1.ListQuarantineResponse.verify|verify} messages.
                 * @param message ListQuarantineResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ListQuarantineResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ListQuarantineResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ListQuarantineResponse & lightferry.admin.v1.ListQuarantineResponse.$Shape} ListQuarantineResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ListQuarantineResponse & lightferry.admin.v1.ListQuarantineResponse.$Shape;
            }

            namespace ListQuarantineResponse {

                /** Properties of a ListQuarantineResponse. */
                interface $Properties {

                    /** ListQuarantineResponse bundles */
                    bundles?: (lightferry.admin.v1.QuarantinedBundle.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ListQuarantineResponse. */
                type $Shape = lightferry.admin.v1.ListQuarantineResponse.$Properties;
            }

            /**
             * Properties of a DiscardBundleRequest.
             * @deprecated Use lightferry.admin.v1.DiscardBundleRequest.$Properties instead.
             */
            interface IDiscardBundleRequest extends lightferry.admin.v1.DiscardBundleRequest.$Properties {
            }

            /** Represents a DiscardBundleRequest. */
            class DiscardBundleRequest {

                /**
                 * Constructs a new DiscardBundleRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.DiscardBundleRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** DiscardBundleRequest bundleId. */
                bundleId: Uint8Array;

                /** DiscardBundleRequest headerDigest. */
                headerDigest: Uint8Array;

                /** DiscardBundleRequest reason. */
                reason: string;

                /**
                 * Encodes the specified DiscardBundleRequest message. Does not implicitly {@link lightferry.admin.v1.DiscardBundleRequest.verify|verify} messages.
                 * @param message DiscardBundleRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.DiscardBundleRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a DiscardBundleRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.DiscardBundleRequest & lightferry.admin.v1.DiscardBundleRequest.$Shape} DiscardBundleRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.DiscardBundleRequest & lightferry.admin.v1.DiscardBundleRequest.$Shape;
            }

            namespace DiscardBundleRequest {

                /** Properties of a DiscardBundleRequest. */
                interface $Properties {

                    /** DiscardBundleRequest bundleId */
                    bundleId?: (Uint8Array|null);

                    /** DiscardBundleRequest headerDigest */
                    headerDigest?: (Uint8Array|null);

                    /** DiscardBundleRequest reason */
                    reason?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a DiscardBundleRequest. */
                type $Shape = lightferry.admin.v1.DiscardBundleRequest.$Properties;
            }

            /**
             * Properties of a DiscardBundleResponse.
             * @deprecated Use lightferry.admin.v1.DiscardBundleResponse.$Properties instead.
             */
            interface IDiscardBundleResponse extends lightferry.admin.v1.DiscardBundleResponse.$Properties {
            }

            /** Represents a DiscardBundleResponse. */
            class DiscardBundleResponse {

                /**
                 * Constructs a new DiscardBundleResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.DiscardBundleResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified DiscardBundleResponse message. Does not implicitly {@link lightferry.admin.v1.DiscardBundleResponse.verify|verify} messages.
                 * @param message DiscardBundleResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.DiscardBundleResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a DiscardBundleResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.DiscardBundleResponse & lightferry.admin.v1.DiscardBundleResponse.$Shape} DiscardBundleResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.DiscardBundleResponse & lightferry.admin.v1.DiscardBundleResponse.$Shape;
            }

            namespace DiscardBundleResponse {

                /** Properties of a DiscardBundleResponse. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a DiscardBundleResponse. */
                type $Shape = lightferry.admin.v1.DiscardBundleResponse.$Properties;
            }

            /**
             * Properties of a GetBacklogRequest.
             * @deprecated Use lightferry.admin.v1.GetBacklogRequest.$Properties instead.
             */
            interface IGetBacklogRequest extends lightferry.admin.v1.GetBacklogRequest.$Properties {
            }

            /** Represents a GetBacklogRequest. */
            class GetBacklogRequest {

                /**
                 * Constructs a new GetBacklogRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.GetBacklogRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetBacklogRequest lane. */
                lane: string;

                /** GetBacklogRequest bytesPerSecond. */
                bytesPerSecond: number;

                /**
                 * Encodes the specified GetBacklogRequest message. Does not implicitly {@link lightferry.admin.v1.GetBacklogRequest.verify|verify} messages.
                 * @param message GetBacklogRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.GetBacklogRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetBacklogRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.GetBacklogRequest & lightferry.admin.v1.GetBacklogRequest.$Shape} GetBacklogRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.GetBacklogRequest & lightferry.admin.v1.GetBacklogRequest.$Shape;
            }

            namespace GetBacklogRequest {

                /** Properties of a GetBacklogRequest. */
                interface $Properties {

                    /** GetBacklogRequest lane */
                    lane?: (string|null);

                    /** GetBacklogRequest bytesPerSecond */
                    bytesPerSecond?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetBacklogRequest. */
                type $Shape = lightferry.admin.v1.GetBacklogRequest.$Properties;
            }

            /**
             * Properties of a GetBacklogResponse.
             * @deprecated Use lightferry.admin.v1.GetBacklogResponse.$Properties instead.
             */
            interface IGetBacklogResponse extends lightferry.admin.v1.GetBacklogResponse.$Properties {
            }

            /** Represents a GetBacklogResponse. */
            class GetBacklogResponse {

                /**
                 * Constructs a new GetBacklogResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.GetBacklogResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetBacklogResponse json. */
                json: string;

                /**
                 * Encodes the specified GetBacklogResponse message. Does not implicitly {@link lightferry.admin.v1.GetBacklogResponse.verify|verify} messages.
                 * @param message GetBacklogResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.GetBacklogResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetBacklogResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.GetBacklogResponse & lightferry.admin.v1.GetBacklogResponse.$Shape} GetBacklogResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.GetBacklogResponse & lightferry.admin.v1.GetBacklogResponse.$Shape;
            }

            namespace GetBacklogResponse {

                /** Properties of a GetBacklogResponse. */
                interface $Properties {

                    /** GetBacklogResponse json */
                    json?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetBacklogResponse. */
                type $Shape = lightferry.admin.v1.GetBacklogResponse.$Properties;
            }

            /**
             * Properties of an ExportReceiptsRequest.
             * @deprecated Use lightferry.admin.v1.ExportReceiptsRequest.$Properties instead.
             */
            interface IExportReceiptsRequest extends lightferry.admin.v1.ExportReceiptsRequest.$Properties {
            }

            /** Represents an ExportReceiptsRequest. */
            class ExportReceiptsRequest {

                /**
                 * Constructs a new ExportReceiptsRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ExportReceiptsRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ExportReceiptsRequest lane. */
                lane: string;

                /** ExportReceiptsRequest maxLists. */
                maxLists: number;

                /** ExportReceiptsRequest again. */
                again: boolean;

                /** ExportReceiptsRequest number. */
                number: number;

                /**
                 * Encodes the specified ExportReceiptsRequest message. Does not implicitly {@link lightferry.admin.v1.ExportReceiptsRequest.verify|verify} messages.
                 * @param message ExportReceiptsRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ExportReceiptsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ExportReceiptsRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ExportReceiptsRequest & lightferry.admin.v1.ExportReceiptsRequest.$Shape} ExportReceiptsRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ExportReceiptsRequest & lightferry.admin.v1.ExportReceiptsRequest.$Shape;
            }

            namespace ExportReceiptsRequest {

                /** Properties of an ExportReceiptsRequest. */
                interface $Properties {

                    /** ExportReceiptsRequest lane */
                    lane?: (string|null);

                    /** ExportReceiptsRequest maxLists */
                    maxLists?: (number|null);

                    /** ExportReceiptsRequest again */
                    again?: (boolean|null);

                    /** ExportReceiptsRequest number */
                    number?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ExportReceiptsRequest. */
                type $Shape = lightferry.admin.v1.ExportReceiptsRequest.$Properties;
            }

            /**
             * Properties of an ExportReceiptsResponse.
             * @deprecated Use lightferry.admin.v1.ExportReceiptsResponse.$Properties instead.
             */
            interface IExportReceiptsResponse extends lightferry.admin.v1.ExportReceiptsResponse.$Properties {
            }

            /** Represents an ExportReceiptsResponse. */
            class ExportReceiptsResponse {

                /**
                 * Constructs a new ExportReceiptsResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ExportReceiptsResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ExportReceiptsResponse file. */
                file: Uint8Array;

                /** ExportReceiptsResponse lists. */
                lists: lightferry.admin.v1.ReceiptListName.$Properties[];

                /** ExportReceiptsResponse receipts. */
                receipts: number;

                /** ExportReceiptsResponse left. */
                left: number;

                /**
                 * Encodes the specified ExportReceiptsResponse message. Does not implicitly {@link lightferry.admin.v1.ExportReceiptsResponse.verify|verify} messages.
                 * @param message ExportReceiptsResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ExportReceiptsResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ExportReceiptsResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ExportReceiptsResponse & lightferry.admin.v1.ExportReceiptsResponse.$Shape} ExportReceiptsResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ExportReceiptsResponse & lightferry.admin.v1.ExportReceiptsResponse.$Shape;
            }

            namespace ExportReceiptsResponse {

                /** Properties of an ExportReceiptsResponse. */
                interface $Properties {

                    /** ExportReceiptsResponse file */
                    file?: (Uint8Array|null);

                    /** ExportReceiptsResponse lists */
                    lists?: (lightferry.admin.v1.ReceiptListName.$Properties[]|null);

                    /** ExportReceiptsResponse receipts */
                    receipts?: (number|null);

                    /** ExportReceiptsResponse left */
                    left?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ExportReceiptsResponse. */
                type $Shape = lightferry.admin.v1.ExportReceiptsResponse.$Properties;
            }

            /**
             * Properties of a ReceiptListName.
             * @deprecated Use lightferry.admin.v1.ReceiptListName.$Properties instead.
             */
            interface IReceiptListName extends lightferry.admin.v1.ReceiptListName.$Properties {
            }

            /** Represents a ReceiptListName. */
            class ReceiptListName {

                /**
                 * Constructs a new ReceiptListName.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ReceiptListName.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ReceiptListName lane. */
                lane: string;

                /** ReceiptListName number. */
                number: number;

                /**
                 * Encodes the specified ReceiptListName message. Does not implicitly {@link lightferry.admin.v1.ReceiptListName.verify|verify} messages.
                 * @param message ReceiptListName message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ReceiptListName.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ReceiptListName message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ReceiptListName & lightferry.admin.v1.ReceiptListName.$Shape} ReceiptListName
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ReceiptListName & lightferry.admin.v1.ReceiptListName.$Shape;
            }

            namespace ReceiptListName {

                /** Properties of a ReceiptListName. */
                interface $Properties {

                    /** ReceiptListName lane */
                    lane?: (string|null);

                    /** ReceiptListName number */
                    number?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ReceiptListName. */
                type $Shape = lightferry.admin.v1.ReceiptListName.$Properties;
            }

            /**
             * Properties of a ConfirmReceiptsRequest.
             * @deprecated Use lightferry.admin.v1.ConfirmReceiptsRequest.$Properties instead.
             */
            interface IConfirmReceiptsRequest extends lightferry.admin.v1.ConfirmReceiptsRequest.$Properties {
            }

            /** Represents a ConfirmReceiptsRequest. */
            class ConfirmReceiptsRequest {

                /**
                 * Constructs a new ConfirmReceiptsRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ConfirmReceiptsRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ConfirmReceiptsRequest lists. */
                lists: lightferry.admin.v1.ReceiptListName.$Properties[];

                /** ConfirmReceiptsRequest digest. */
                digest: Uint8Array;

                /**
                 * Encodes the specified ConfirmReceiptsRequest message. Does not implicitly {@link lightferry.admin.v1.ConfirmReceiptsRequest.verify|verify} messages.
                 * @param message ConfirmReceiptsRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ConfirmReceiptsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ConfirmReceiptsRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ConfirmReceiptsRequest & lightferry.admin.v1.ConfirmReceiptsRequest.$Shape} ConfirmReceiptsRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ConfirmReceiptsRequest & lightferry.admin.v1.ConfirmReceiptsRequest.$Shape;
            }

            namespace ConfirmReceiptsRequest {

                /** Properties of a ConfirmReceiptsRequest. */
                interface $Properties {

                    /** ConfirmReceiptsRequest lists */
                    lists?: (lightferry.admin.v1.ReceiptListName.$Properties[]|null);

                    /** ConfirmReceiptsRequest digest */
                    digest?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ConfirmReceiptsRequest. */
                type $Shape = lightferry.admin.v1.ConfirmReceiptsRequest.$Properties;
            }

            /**
             * Properties of a ConfirmReceiptsResponse.
             * @deprecated Use lightferry.admin.v1.ConfirmReceiptsResponse.$Properties instead.
             */
            interface IConfirmReceiptsResponse extends lightferry.admin.v1.ConfirmReceiptsResponse.$Properties {
            }

            /** Represents a ConfirmReceiptsResponse. */
            class ConfirmReceiptsResponse {

                /**
                 * Constructs a new ConfirmReceiptsResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ConfirmReceiptsResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified ConfirmReceiptsResponse message. Does not implicitly {@link lightferry.admin.v1.ConfirmReceiptsResponse.verify|verify} messages.
                 * @param message ConfirmReceiptsResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ConfirmReceiptsResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ConfirmReceiptsResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ConfirmReceiptsResponse & lightferry.admin.v1.ConfirmReceiptsResponse.$Shape} ConfirmReceiptsResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ConfirmReceiptsResponse & lightferry.admin.v1.ConfirmReceiptsResponse.$Shape;
            }

            namespace ConfirmReceiptsResponse {

                /** Properties of a ConfirmReceiptsResponse. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ConfirmReceiptsResponse. */
                type $Shape = lightferry.admin.v1.ConfirmReceiptsResponse.$Properties;
            }

            /**
             * Properties of an ImportReceiptsRequest.
             * @deprecated Use lightferry.admin.v1.ImportReceiptsRequest.$Properties instead.
             */
            interface IImportReceiptsRequest extends lightferry.admin.v1.ImportReceiptsRequest.$Properties {
            }

            /** Represents an ImportReceiptsRequest. */
            class ImportReceiptsRequest {

                /**
                 * Constructs a new ImportReceiptsRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ImportReceiptsRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ImportReceiptsRequest file. */
                file: Uint8Array;

                /** ImportReceiptsRequest skipUnknown. */
                skipUnknown: boolean;

                /** ImportReceiptsRequest checkOnly. */
                checkOnly: boolean;

                /**
                 * Encodes the specified ImportReceiptsRequest message. Does not implicitly {@link lightferry.admin.v1.ImportReceiptsRequest.verify|verify} messages.
                 * @param message ImportReceiptsRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ImportReceiptsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ImportReceiptsRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ImportReceiptsRequest & lightferry.admin.v1.ImportReceiptsRequest.$Shape} ImportReceiptsRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ImportReceiptsRequest & lightferry.admin.v1.ImportReceiptsRequest.$Shape;
            }

            namespace ImportReceiptsRequest {

                /** Properties of an ImportReceiptsRequest. */
                interface $Properties {

                    /** ImportReceiptsRequest file */
                    file?: (Uint8Array|null);

                    /** ImportReceiptsRequest skipUnknown */
                    skipUnknown?: (boolean|null);

                    /** ImportReceiptsRequest checkOnly */
                    checkOnly?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ImportReceiptsRequest. */
                type $Shape = lightferry.admin.v1.ImportReceiptsRequest.$Properties;
            }

            /**
             * Properties of an ImportReceiptsResponse.
             * @deprecated Use lightferry.admin.v1.ImportReceiptsResponse.$Properties instead.
             */
            interface IImportReceiptsResponse extends lightferry.admin.v1.ImportReceiptsResponse.$Properties {
            }

            /** Represents an ImportReceiptsResponse. */
            class ImportReceiptsResponse {

                /**
                 * Constructs a new ImportReceiptsResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.ImportReceiptsResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ImportReceiptsResponse json. */
                json: string;

                /**
                 * Encodes the specified ImportReceiptsResponse message. Does not implicitly {@link lightferry.admin.v1.ImportReceiptsResponse.verify|verify} messages.
                 * @param message ImportReceiptsResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.ImportReceiptsResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ImportReceiptsResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.ImportReceiptsResponse & lightferry.admin.v1.ImportReceiptsResponse.$Shape} ImportReceiptsResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.ImportReceiptsResponse & lightferry.admin.v1.ImportReceiptsResponse.$Shape;
            }

            namespace ImportReceiptsResponse {

                /** Properties of an ImportReceiptsResponse. */
                interface $Properties {

                    /** ImportReceiptsResponse json */
                    json?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ImportReceiptsResponse. */
                type $Shape = lightferry.admin.v1.ImportReceiptsResponse.$Properties;
            }

            /**
             * Properties of a GetReceiptStatusRequest.
             * @deprecated Use lightferry.admin.v1.GetReceiptStatusRequest.$Properties instead.
             */
            interface IGetReceiptStatusRequest extends lightferry.admin.v1.GetReceiptStatusRequest.$Properties {
            }

            /** Represents a GetReceiptStatusRequest. */
            class GetReceiptStatusRequest {

                /**
                 * Constructs a new GetReceiptStatusRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.GetReceiptStatusRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified GetReceiptStatusRequest message. Does not implicitly {@link lightferry.admin.v1.GetReceiptStatusRequest.verify|verify} messages.
                 * @param message GetReceiptStatusRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.GetReceiptStatusRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetReceiptStatusRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.GetReceiptStatusRequest & lightferry.admin.v1.GetReceiptStatusRequest.$Shape} GetReceiptStatusRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.GetReceiptStatusRequest & lightferry.admin.v1.GetReceiptStatusRequest.$Shape;
            }

            namespace GetReceiptStatusRequest {

                /** Properties of a GetReceiptStatusRequest. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetReceiptStatusRequest. */
                type $Shape = lightferry.admin.v1.GetReceiptStatusRequest.$Properties;
            }

            /**
             * Properties of a GetReceiptStatusResponse.
             * @deprecated Use lightferry.admin.v1.GetReceiptStatusResponse.$Properties instead.
             */
            interface IGetReceiptStatusResponse extends lightferry.admin.v1.GetReceiptStatusResponse.$Properties {
            }

            /** Represents a GetReceiptStatusResponse. */
            class GetReceiptStatusResponse {

                /**
                 * Constructs a new GetReceiptStatusResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.admin.v1.GetReceiptStatusResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetReceiptStatusResponse json. */
                json: string;

                /**
                 * Encodes the specified GetReceiptStatusResponse message. Does not implicitly {@link lightferry.admin.v1.GetReceiptStatusResponse.verify|verify} messages.
                 * @param message GetReceiptStatusResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.admin.v1.GetReceiptStatusResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetReceiptStatusResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.admin.v1.GetReceiptStatusResponse & lightferry.admin.v1.GetReceiptStatusResponse.$Shape} GetReceiptStatusResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.admin.v1.GetReceiptStatusResponse & lightferry.admin.v1.GetReceiptStatusResponse.$Shape;
            }

            namespace GetReceiptStatusResponse {

                /** Properties of a GetReceiptStatusResponse. */
                interface $Properties {

                    /** GetReceiptStatusResponse json */
                    json?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetReceiptStatusResponse. */
                type $Shape = lightferry.admin.v1.GetReceiptStatusResponse.$Properties;
            }
        }
    }

    /** Namespace audit. */
    namespace audit {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of an Event.
             * @deprecated Use lightferry.audit.v1.Event.$Properties instead.
             */
            interface IEvent extends lightferry.audit.v1.Event.$Properties {
            }

            /** Represents an Event. */
            class Event {

                /**
                 * Constructs a new Event.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.Event.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Event eventId. */
                eventId: Uint8Array;

                /** Event timeMs. */
                timeMs: number;

                /** Event zone. */
                zone: string;

                /** Event node. */
                node: string;

                /** Event emitter. */
                emitter: string;

                /** Event emitterSequence. */
                emitterSequence: number;

                /** Event type. */
                type: string;

                /** Event outcome. */
                outcome: string;

                /** Event code. */
                code: string;

                /** Event exchangeId. */
                exchangeId: Uint8Array;

                /** Event bundleId. */
                bundleId: Uint8Array;

                /** Event lane. */
                lane: string;

                /** Event actor. */
                actor: string;

                /** Event clientAddress. */
                clientAddress: string;

                /** Event service. */
                service: string;

                /** Event grade. */
                grade: string;

                /** Event digest. */
                digest: Uint8Array;

                /** Event size. */
                size: number;

                /** Event ruleIds. */
                ruleIds: string[];

                /** Event policyVersion. */
                policyVersion: string;

                /** Event attributes. */
                attributes: lightferry.audit.v1.Attribute.$Properties[];

                /**
                 * Encodes the specified Event message. Does not implicitly {@link lightferry.audit.v1.Event.verify|verify} messages.
                 * @param message Event message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.Event.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Event message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.Event & lightferry.audit.v1.Event.$Shape} Event
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.Event & lightferry.audit.v1.Event.$Shape;
            }

            namespace Event {

                /** Properties of an Event. */
                interface $Properties {

                    /** Event eventId */
                    eventId?: (Uint8Array|null);

                    /** Event timeMs */
                    timeMs?: (number|null);

                    /** Event zone */
                    zone?: (string|null);

                    /** Event node */
                    node?: (string|null);

                    /** Event emitter */
                    emitter?: (string|null);

                    /** Event emitterSequence */
                    emitterSequence?: (number|null);

                    /** Event type */
                    type?: (string|null);

                    /** Event outcome */
                    outcome?: (string|null);

                    /** Event code */
                    code?: (string|null);

                    /** Event exchangeId */
                    exchangeId?: (Uint8Array|null);

                    /** Event bundleId */
                    bundleId?: (Uint8Array|null);

                    /** Event lane */
                    lane?: (string|null);

                    /** Event actor */
                    actor?: (string|null);

                    /** Event clientAddress */
                    clientAddress?: (string|null);

                    /** Event service */
                    service?: (string|null);

                    /** Event grade */
                    grade?: (string|null);

                    /** Event digest */
                    digest?: (Uint8Array|null);

                    /** Event size */
                    size?: (number|null);

                    /** Event ruleIds */
                    ruleIds?: (string[]|null);

                    /** Event policyVersion */
                    policyVersion?: (string|null);

                    /** Event attributes */
                    attributes?: (lightferry.audit.v1.Attribute.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Event. */
                type $Shape = lightferry.audit.v1.Event.$Properties;
            }

            /**
             * Properties of an Attribute.
             * @deprecated Use lightferry.audit.v1.Attribute.$Properties instead.
             */
            interface IAttribute extends lightferry.audit.v1.Attribute.$Properties {
            }

            /** Represents an Attribute. */
            class Attribute {

                /**
                 * Constructs a new Attribute.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.Attribute.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Attribute name. */
                name: string;

                /** Attribute value. */
                value: string;

                /**
                 * Encodes the specified Attribute message. Does not implicitly {@link lightferry.audit.v1.Attribute.verify|verify} messages.
                 * @param message Attribute message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.Attribute.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Attribute message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.Attribute & lightferry.audit.v1.Attribute.$Shape} Attribute
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.Attribute & lightferry.audit.v1.Attribute.$Shape;
            }

            namespace Attribute {

                /** Properties of an Attribute. */
                interface $Properties {

                    /** Attribute name */
                    name?: (string|null);

                    /** Attribute value */
                    value?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Attribute. */
                type $Shape = lightferry.audit.v1.Attribute.$Properties;
            }

            /**
             * Properties of an AppendRequest.
             * @deprecated Use lightferry.audit.v1.AppendRequest.$Properties instead.
             */
            interface IAppendRequest extends lightferry.audit.v1.AppendRequest.$Properties {
            }

            /** Represents an AppendRequest. */
            class AppendRequest {

                /**
                 * Constructs a new AppendRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.AppendRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** AppendRequest events. */
                events: Uint8Array[];

                /** AppendRequest peerTrails. */
                peerTrails: lightferry.audit.v1.PeerTrail.$Properties[];

                /**
                 * Encodes the specified AppendRequest message. Does not implicitly {@link lightferry.audit.v1.AppendRequest.verify|verify} messages.
                 * @param message AppendRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.AppendRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an AppendRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.AppendRequest & lightferry.audit.v1.AppendRequest.$Shape} AppendRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.AppendRequest & lightferry.audit.v1.AppendRequest.$Shape;
            }

            namespace AppendRequest {

                /** Properties of an AppendRequest. */
                interface $Properties {

                    /** AppendRequest events */
                    events?: (Uint8Array[]|null);

                    /** AppendRequest peerTrails */
                    peerTrails?: (lightferry.audit.v1.PeerTrail.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an AppendRequest. */
                type $Shape = lightferry.audit.v1.AppendRequest.$Properties;
            }

            /**
             * Properties of a PeerTrail.
             * @deprecated Use lightferry.audit.v1.PeerTrail.$Properties instead.
             */
            interface IPeerTrail extends lightferry.audit.v1.PeerTrail.$Properties {
            }

            /** Represents a PeerTrail. */
            class PeerTrail {

                /**
                 * Constructs a new PeerTrail.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.PeerTrail.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** PeerTrail zone. */
                zone: string;

                /** PeerTrail exchangeId. */
                exchangeId: Uint8Array;

                /** PeerTrail bundleId. */
                bundleId: Uint8Array;

                /** PeerTrail events. */
                events: Uint8Array[];

                /**
                 * Encodes the specified PeerTrail message. Does not implicitly {@link lightferry.audit.v1.PeerTrail.verify|verify} messages.
                 * @param message PeerTrail message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.PeerTrail.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a PeerTrail message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.PeerTrail & lightferry.audit.v1.PeerTrail.$Shape} PeerTrail
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.PeerTrail & lightferry.audit.v1.PeerTrail.$Shape;
            }

            namespace PeerTrail {

                /** Properties of a PeerTrail. */
                interface $Properties {

                    /** PeerTrail zone */
                    zone?: (string|null);

                    /** PeerTrail exchangeId */
                    exchangeId?: (Uint8Array|null);

                    /** PeerTrail bundleId */
                    bundleId?: (Uint8Array|null);

                    /** PeerTrail events */
                    events?: (Uint8Array[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a PeerTrail. */
                type $Shape = lightferry.audit.v1.PeerTrail.$Properties;
            }

            /**
             * Properties of an AppendResponse.
             * @deprecated Use lightferry.audit.v1.AppendResponse.$Properties instead.
             */
            interface IAppendResponse extends lightferry.audit.v1.AppendResponse.$Properties {
            }

            /** Represents an AppendResponse. */
            class AppendResponse {

                /**
                 * Constructs a new AppendResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.AppendResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** AppendResponse treeSize. */
                treeSize: number;

                /** AppendResponse checkpoint. */
                checkpoint: Uint8Array;

                /**
                 * Encodes the specified AppendResponse message. Does not implicitly {@link lightferry.audit.v1.AppendResponse.verify|verify} messages.
                 * @param message AppendResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.AppendResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an AppendResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.AppendResponse & lightferry.audit.v1.AppendResponse.$Shape} AppendResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.AppendResponse & lightferry.audit.v1.AppendResponse.$Shape;
            }

            namespace AppendResponse {

                /** Properties of an AppendResponse. */
                interface $Properties {

                    /** AppendResponse treeSize */
                    treeSize?: (number|null);

                    /** AppendResponse checkpoint */
                    checkpoint?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an AppendResponse. */
                type $Shape = lightferry.audit.v1.AppendResponse.$Properties;
            }

            /**
             * Properties of a GetCheckpointRequest.
             * @deprecated Use lightferry.audit.v1.GetCheckpointRequest.$Properties instead.
             */
            interface IGetCheckpointRequest extends lightferry.audit.v1.GetCheckpointRequest.$Properties {
            }

            /** Represents a GetCheckpointRequest. */
            class GetCheckpointRequest {

                /**
                 * Constructs a new GetCheckpointRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.GetCheckpointRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetCheckpointRequest oldSize. */
                oldSize: number;

                /**
                 * Encodes the specified GetCheckpointRequest message. Does not implicitly {@link lightferry.audit.v1.GetCheckpointRequest.verify|verify} messages.
                 * @param message GetCheckpointRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.GetCheckpointRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetCheckpointRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.GetCheckpointRequest & lightferry.audit.v1.GetCheckpointRequest.$Shape} GetCheckpointRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.GetCheckpointRequest & lightferry.audit.v1.GetCheckpointRequest.$Shape;
            }

            namespace GetCheckpointRequest {

                /** Properties of a GetCheckpointRequest. */
                interface $Properties {

                    /** GetCheckpointRequest oldSize */
                    oldSize?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetCheckpointRequest. */
                type $Shape = lightferry.audit.v1.GetCheckpointRequest.$Properties;
            }

            /**
             * Properties of a GetCheckpointResponse.
             * @deprecated Use lightferry.audit.v1.GetCheckpointResponse.$Properties instead.
             */
            interface IGetCheckpointResponse extends lightferry.audit.v1.GetCheckpointResponse.$Properties {
            }

            /** Represents a GetCheckpointResponse. */
            class GetCheckpointResponse {

                /**
                 * Constructs a new GetCheckpointResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.GetCheckpointResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetCheckpointResponse note. */
                note: Uint8Array;

                /** GetCheckpointResponse size. */
                size: number;

                /** GetCheckpointResponse consistency. */
                consistency: Uint8Array[];

                /**
                 * Encodes the specified GetCheckpointResponse message. Does not implicitly {@link lightferry.audit.v1.GetCheckpointResponse.verify|verify} messages.
                 * @param message GetCheckpointResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.GetCheckpointResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetCheckpointResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.GetCheckpointResponse & lightferry.audit.v1.GetCheckpointResponse.$Shape} GetCheckpointResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.GetCheckpointResponse & lightferry.audit.v1.GetCheckpointResponse.$Shape;
            }

            namespace GetCheckpointResponse {

                /** Properties of a GetCheckpointResponse. */
                interface $Properties {

                    /** GetCheckpointResponse note */
                    note?: (Uint8Array|null);

                    /** GetCheckpointResponse size */
                    size?: (number|null);

                    /** GetCheckpointResponse consistency */
                    consistency?: (Uint8Array[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetCheckpointResponse. */
                type $Shape = lightferry.audit.v1.GetCheckpointResponse.$Properties;
            }

            /**
             * Properties of a WitnessRequest.
             * @deprecated Use lightferry.audit.v1.WitnessRequest.$Properties instead.
             */
            interface IWitnessRequest extends lightferry.audit.v1.WitnessRequest.$Properties {
            }

            /** Represents a WitnessRequest. */
            class WitnessRequest {

                /**
                 * Constructs a new WitnessRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.WitnessRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** WitnessRequest zone. */
                zone: string;

                /** WitnessRequest note. */
                note: Uint8Array;

                /** WitnessRequest oldSize. */
                oldSize: number;

                /** WitnessRequest consistency. */
                consistency: Uint8Array[];

                /** WitnessRequest bundleId. */
                bundleId: Uint8Array;

                /** WitnessRequest certificates. */
                certificates: Uint8Array[];

                /**
                 * Encodes the specified WitnessRequest message. Does not implicitly {@link lightferry.audit.v1.WitnessRequest.verify|verify} messages.
                 * @param message WitnessRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.WitnessRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a WitnessRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.WitnessRequest & lightferry.audit.v1.WitnessRequest.$Shape} WitnessRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.WitnessRequest & lightferry.audit.v1.WitnessRequest.$Shape;
            }

            namespace WitnessRequest {

                /** Properties of a WitnessRequest. */
                interface $Properties {

                    /** WitnessRequest zone */
                    zone?: (string|null);

                    /** WitnessRequest note */
                    note?: (Uint8Array|null);

                    /** WitnessRequest oldSize */
                    oldSize?: (number|null);

                    /** WitnessRequest consistency */
                    consistency?: (Uint8Array[]|null);

                    /** WitnessRequest bundleId */
                    bundleId?: (Uint8Array|null);

                    /** WitnessRequest certificates */
                    certificates?: (Uint8Array[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a WitnessRequest. */
                type $Shape = lightferry.audit.v1.WitnessRequest.$Properties;
            }

            /**
             * Properties of a WitnessResponse.
             * @deprecated Use lightferry.audit.v1.WitnessResponse.$Properties instead.
             */
            interface IWitnessResponse extends lightferry.audit.v1.WitnessResponse.$Properties {
            }

            /** Represents a WitnessResponse. */
            class WitnessResponse {

                /**
                 * Constructs a new WitnessResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.WitnessResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** WitnessResponse status. */
                status: string;

                /**
                 * Encodes the specified WitnessResponse message. Does not implicitly {@link lightferry.audit.v1.WitnessResponse.verify|verify} messages.
                 * @param message WitnessResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.WitnessResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a WitnessResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.WitnessResponse & lightferry.audit.v1.WitnessResponse.$Shape} WitnessResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.WitnessResponse & lightferry.audit.v1.WitnessResponse.$Shape;
            }

            namespace WitnessResponse {

                /** Properties of a WitnessResponse. */
                interface $Properties {

                    /** WitnessResponse status */
                    status?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a WitnessResponse. */
                type $Shape = lightferry.audit.v1.WitnessResponse.$Properties;
            }

            /**
             * Properties of a ListEventsRequest.
             * @deprecated Use lightferry.audit.v1.ListEventsRequest.$Properties instead.
             */
            interface IListEventsRequest extends lightferry.audit.v1.ListEventsRequest.$Properties {
            }

            /** Represents a ListEventsRequest. */
            class ListEventsRequest {

                /**
                 * Constructs a new ListEventsRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.ListEventsRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ListEventsRequest beforeIndex. */
                beforeIndex: number;

                /** ListEventsRequest limit. */
                limit: number;

                /** ListEventsRequest type. */
                type: string;

                /** ListEventsRequest outcome. */
                outcome: string;

                /** ListEventsRequest actor. */
                actor: string;

                /** ListEventsRequest lane. */
                lane: string;

                /** ListEventsRequest fromMs. */
                fromMs: number;

                /** ListEventsRequest toMs. */
                toMs: number;

                /** ListEventsRequest exchangeId. */
                exchangeId: Uint8Array;

                /** ListEventsRequest code. */
                code: string;

                /**
                 * Encodes the specified ListEventsRequest message. Does not implicitly {@link lightferry.audit.v1.ListEventsRequest.verify|verify} messages.
                 * @param message ListEventsRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.ListEventsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ListEventsRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.ListEventsRequest & lightferry.audit.v1.ListEventsRequest.$Shape} ListEventsRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.ListEventsRequest & lightferry.audit.v1.ListEventsRequest.$Shape;
            }

            namespace ListEventsRequest {

                /** Properties of a ListEventsRequest. */
                interface $Properties {

                    /** ListEventsRequest beforeIndex */
                    beforeIndex?: (number|null);

                    /** ListEventsRequest limit */
                    limit?: (number|null);

                    /** ListEventsRequest type */
                    type?: (string|null);

                    /** ListEventsRequest outcome */
                    outcome?: (string|null);

                    /** ListEventsRequest actor */
                    actor?: (string|null);

                    /** ListEventsRequest lane */
                    lane?: (string|null);

                    /** ListEventsRequest fromMs */
                    fromMs?: (number|null);

                    /** ListEventsRequest toMs */
                    toMs?: (number|null);

                    /** ListEventsRequest exchangeId */
                    exchangeId?: (Uint8Array|null);

                    /** ListEventsRequest code */
                    code?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ListEventsRequest. */
                type $Shape = lightferry.audit.v1.ListEventsRequest.$Properties;
            }

            /**
             * Properties of a LoggedEvent.
             * @deprecated Use lightferry.audit.v1.LoggedEvent.$Properties instead.
             */
            interface ILoggedEvent extends lightferry.audit.v1.LoggedEvent.$Properties {
            }

            /** Represents a LoggedEvent. */
            class LoggedEvent {

                /**
                 * Constructs a new LoggedEvent.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.LoggedEvent.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LoggedEvent index. */
                index: number;

                /** LoggedEvent event. */
                event: Uint8Array;

                /** LoggedEvent loggedMs. */
                loggedMs: number;

                /**
                 * Encodes the specified LoggedEvent message. Does not implicitly {@link lightferry.audit.v1.LoggedEvent.verify|verify} messages.
                 * @param message LoggedEvent message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.LoggedEvent.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LoggedEvent message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.LoggedEvent & lightferry.audit.v1.LoggedEvent.$Shape} LoggedEvent
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.LoggedEvent & lightferry.audit.v1.LoggedEvent.$Shape;
            }

            namespace LoggedEvent {

                /** Properties of a LoggedEvent. */
                interface $Properties {

                    /** LoggedEvent index */
                    index?: (number|null);

                    /** LoggedEvent event */
                    event?: (Uint8Array|null);

                    /** LoggedEvent loggedMs */
                    loggedMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LoggedEvent. */
                type $Shape = lightferry.audit.v1.LoggedEvent.$Properties;
            }

            /**
             * Properties of a ListEventsResponse.
             * @deprecated Use lightferry.audit.v1.ListEventsResponse.$Properties instead.
             */
            interface IListEventsResponse extends lightferry.audit.v1.ListEventsResponse.$Properties {
            }

            /** Represents a ListEventsResponse. */
            class ListEventsResponse {

                /**
                 * Constructs a new ListEventsResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.ListEventsResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ListEventsResponse events. */
                events: lightferry.audit.v1.LoggedEvent.$Properties[];

                /**
                 * Encodes the specified ListEventsResponse message. Does not implicitly {@link lightferry.audit.v1.ListEventsResponse.verify|verify} messages.
                 * @param message ListEventsResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.ListEventsResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ListEventsResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.ListEventsResponse & lightferry.audit.v1.ListEventsResponse.$Shape} ListEventsResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.ListEventsResponse & lightferry.audit.v1.ListEventsResponse.$Shape;
            }

            namespace ListEventsResponse {

                /** Properties of a ListEventsResponse. */
                interface $Properties {

                    /** ListEventsResponse events */
                    events?: (lightferry.audit.v1.LoggedEvent.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ListEventsResponse. */
                type $Shape = lightferry.audit.v1.ListEventsResponse.$Properties;
            }

            /**
             * Properties of a GetTrailRequest.
             * @deprecated Use lightferry.audit.v1.GetTrailRequest.$Properties instead.
             */
            interface IGetTrailRequest extends lightferry.audit.v1.GetTrailRequest.$Properties {
            }

            /** Represents a GetTrailRequest. */
            class GetTrailRequest {

                /**
                 * Constructs a new GetTrailRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.GetTrailRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetTrailRequest exchangeId. */
                exchangeId: Uint8Array;

                /**
                 * Encodes the specified GetTrailRequest message. Does not implicitly {@link lightferry.audit.v1.GetTrailRequest.verify|verify} messages.
                 * @param message GetTrailRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.GetTrailRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetTrailRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.GetTrailRequest & lightferry.audit.v1.GetTrailRequest.$Shape} GetTrailRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.GetTrailRequest & lightferry.audit.v1.GetTrailRequest.$Shape;
            }

            namespace GetTrailRequest {

                /** Properties of a GetTrailRequest. */
                interface $Properties {

                    /** GetTrailRequest exchangeId */
                    exchangeId?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetTrailRequest. */
                type $Shape = lightferry.audit.v1.GetTrailRequest.$Properties;
            }

            /**
             * Properties of a GetTrailResponse.
             * @deprecated Use lightferry.audit.v1.GetTrailResponse.$Properties instead.
             */
            interface IGetTrailResponse extends lightferry.audit.v1.GetTrailResponse.$Properties {
            }

            /** Represents a GetTrailResponse. */
            class GetTrailResponse {

                /**
                 * Constructs a new GetTrailResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.audit.v1.GetTrailResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetTrailResponse own. */
                own: lightferry.audit.v1.LoggedEvent.$Properties[];

                /** GetTrailResponse peer. */
                peer: lightferry.audit.v1.PeerTrail.$Properties[];

                /**
                 * Encodes the specified GetTrailResponse message. Does not implicitly {@link lightferry.audit.v1.GetTrailResponse.verify|verify} messages.
                 * @param message GetTrailResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.audit.v1.GetTrailResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetTrailResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.audit.v1.GetTrailResponse & lightferry.audit.v1.GetTrailResponse.$Shape} GetTrailResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.audit.v1.GetTrailResponse & lightferry.audit.v1.GetTrailResponse.$Shape;
            }

            namespace GetTrailResponse {

                /** Properties of a GetTrailResponse. */
                interface $Properties {

                    /** GetTrailResponse own */
                    own?: (lightferry.audit.v1.LoggedEvent.$Properties[]|null);

                    /** GetTrailResponse peer */
                    peer?: (lightferry.audit.v1.PeerTrail.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetTrailResponse. */
                type $Shape = lightferry.audit.v1.GetTrailResponse.$Properties;
            }
        }
    }

    /** Namespace bundle. */
    namespace bundle {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of a Header.
             * @deprecated Use lightferry.bundle.v1.Header.$Properties instead.
             */
            interface IHeader extends lightferry.bundle.v1.Header.$Properties {
            }

            /** Represents a Header. */
            class Header {

                /**
                 * Constructs a new Header.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.bundle.v1.Header.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Header version. */
                version: number;

                /** Header bundleId. */
                bundleId: Uint8Array;

                /** Header lane. */
                lane: string;

                /** Header stream. */
                stream: string;

                /** Header sequence. */
                sequence: number;

                /** Header previousDigest. */
                previousDigest: Uint8Array;

                /** Header sender. */
                sender: string;

                /** Header signKeyId. */
                signKeyId: string;

                /** Header createdMs. */
                createdMs: number;

                /** Header expiresMs. */
                expiresMs: number;

                /** Header grade. */
                grade: string;

                /** Header chunkSize. */
                chunkSize: number;

                /** Header chunkCount. */
                chunkCount: number;

                /** Header plaintextSize. */
                plaintextSize: number;

                /** Header ciphertextRoot. */
                ciphertextRoot: Uint8Array;

                /** Header itemRoot. */
                itemRoot: Uint8Array;

                /** Header recipients. */
                recipients: lightferry.bundle.v1.Recipient.$Properties[];

                /** Header keyCommitment. */
                keyCommitment: Uint8Array;

                /** Header verdictBatches. */
                verdictBatches: lightferry.bundle.v1.VerdictBatch.$Properties[];

                /** Header items. */
                items: lightferry.bundle.v1.ItemRecord.$Properties[];

                /** Header policyVersion. */
                policyVersion: string;

                /** Header checkpoint. */
                checkpoint?: (lightferry.bundle.v1.Checkpoint.$Properties|null);

                /** Header certificates. */
                certificates: Uint8Array[];

                /**
                 * Encodes the specified Header message. Does not implicitly {@link lightferry.bundle.v1.Header.verify|verify} messages.
                 * @param message Header message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.bundle.v1.Header.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Header message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.bundle.v1.Header & lightferry.bundle.v1.Header.$Shape} Header
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.bundle.v1.Header & lightferry.bundle.v1.Header.$Shape;
            }

            namespace Header {

                /** Properties of a Header. */
                interface $Properties {

                    /** Header version */
                    version?: (number|null);

                    /** Header bundleId */
                    bundleId?: (Uint8Array|null);

                    /** Header lane */
                    lane?: (string|null);

                    /** Header stream */
                    stream?: (string|null);

                    /** Header sequence */
                    sequence?: (number|null);

                    /** Header previousDigest */
                    previousDigest?: (Uint8Array|null);

                    /** Header sender */
                    sender?: (string|null);

                    /** Header signKeyId */
                    signKeyId?: (string|null);

                    /** Header createdMs */
                    createdMs?: (number|null);

                    /** Header expiresMs */
                    expiresMs?: (number|null);

                    /** Header grade */
                    grade?: (string|null);

                    /** Header chunkSize */
                    chunkSize?: (number|null);

                    /** Header chunkCount */
                    chunkCount?: (number|null);

                    /** Header plaintextSize */
                    plaintextSize?: (number|null);

                    /** Header ciphertextRoot */
                    ciphertextRoot?: (Uint8Array|null);

                    /** Header itemRoot */
                    itemRoot?: (Uint8Array|null);

                    /** Header recipients */
                    recipients?: (lightferry.bundle.v1.Recipient.$Properties[]|null);

                    /** Header keyCommitment */
                    keyCommitment?: (Uint8Array|null);

                    /** Header verdictBatches */
                    verdictBatches?: (lightferry.bundle.v1.VerdictBatch.$Properties[]|null);

                    /** Header items */
                    items?: (lightferry.bundle.v1.ItemRecord.$Properties[]|null);

                    /** Header policyVersion */
                    policyVersion?: (string|null);

                    /** Header checkpoint */
                    checkpoint?: (lightferry.bundle.v1.Checkpoint.$Properties|null);

                    /** Header certificates */
                    certificates?: (Uint8Array[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Header. */
                type $Shape = lightferry.bundle.v1.Header.$Properties;
            }

            /**
             * Properties of a Recipient.
             * @deprecated Use lightferry.bundle.v1.Recipient.$Properties instead.
             */
            interface IRecipient extends lightferry.bundle.v1.Recipient.$Properties {
            }

            /** Represents a Recipient. */
            class Recipient {

                /**
                 * Constructs a new Recipient.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.bundle.v1.Recipient.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Recipient nodeId. */
                nodeId: string;

                /** Recipient keyId. */
                keyId: string;

                /** Recipient wrappedSecret. */
                wrappedSecret: Uint8Array;

                /**
                 * Encodes the specified Recipient message. Does not implicitly {@link lightferry.bundle.v1.Recipient.verify|verify} messages.
                 * @param message Recipient message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.bundle.v1.Recipient.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Recipient message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.bundle.v1.Recipient & lightferry.bundle.v1.Recipient.$Shape} Recipient
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.bundle.v1.Recipient & lightferry.bundle.v1.Recipient.$Shape;
            }

            namespace Recipient {

                /** Properties of a Recipient. */
                interface $Properties {

                    /** Recipient nodeId */
                    nodeId?: (string|null);

                    /** Recipient keyId */
                    keyId?: (string|null);

                    /** Recipient wrappedSecret */
                    wrappedSecret?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Recipient. */
                type $Shape = lightferry.bundle.v1.Recipient.$Properties;
            }

            /**
             * Properties of a VerdictBatch.
             * @deprecated Use lightferry.bundle.v1.VerdictBatch.$Properties instead.
             */
            interface IVerdictBatch extends lightferry.bundle.v1.VerdictBatch.$Properties {
            }

            /** Represents a VerdictBatch. */
            class VerdictBatch {

                /**
                 * Constructs a new VerdictBatch.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.bundle.v1.VerdictBatch.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** VerdictBatch policyNode. */
                policyNode: string;

                /** VerdictBatch keyId. */
                keyId: string;

                /** VerdictBatch root. */
                root: Uint8Array;

                /** VerdictBatch size. */
                size: number;

                /** VerdictBatch signature. */
                signature: Uint8Array;

                /**
                 * Encodes the specified VerdictBatch message. Does not implicitly {@link lightferry.bundle.v1.VerdictBatch.verify|verify} messages.
                 * @param message VerdictBatch message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.bundle.v1.VerdictBatch.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a VerdictBatch message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.bundle.v1.VerdictBatch & lightferry.bundle.v1.VerdictBatch.$Shape} VerdictBatch
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.bundle.v1.VerdictBatch & lightferry.bundle.v1.VerdictBatch.$Shape;
            }

            namespace VerdictBatch {

                /** Properties of a VerdictBatch. */
                interface $Properties {

                    /** VerdictBatch policyNode */
                    policyNode?: (string|null);

                    /** VerdictBatch keyId */
                    keyId?: (string|null);

                    /** VerdictBatch root */
                    root?: (Uint8Array|null);

                    /** VerdictBatch size */
                    size?: (number|null);

                    /** VerdictBatch signature */
                    signature?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a VerdictBatch. */
                type $Shape = lightferry.bundle.v1.VerdictBatch.$Properties;
            }

            /**
             * Properties of an ItemRecord.
             * @deprecated Use lightferry.bundle.v1.ItemRecord.$Properties instead.
             */
            interface IItemRecord extends lightferry.bundle.v1.ItemRecord.$Properties {
            }

            /** Represents an ItemRecord. */
            class ItemRecord {

                /**
                 * Constructs a new ItemRecord.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.bundle.v1.ItemRecord.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ItemRecord commitment. */
                commitment: Uint8Array;

                /** ItemRecord verdict. */
                verdict: Uint8Array;

                /** ItemRecord batch. */
                batch: number;

                /** ItemRecord leaf. */
                leaf: number;

                /** ItemRecord path. */
                path: Uint8Array[];

                /**
                 * Encodes the specified ItemRecord message. Does not implicitly {@link lightferry.bundle.v1.ItemRecord.verify|verify} messages.
                 * @param message ItemRecord message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.bundle.v1.ItemRecord.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ItemRecord message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.bundle.v1.ItemRecord & lightferry.bundle.v1.ItemRecord.$Shape} ItemRecord
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.bundle.v1.ItemRecord & lightferry.bundle.v1.ItemRecord.$Shape;
            }

            namespace ItemRecord {

                /** Properties of an ItemRecord. */
                interface $Properties {

                    /** ItemRecord commitment */
                    commitment?: (Uint8Array|null);

                    /** ItemRecord verdict */
                    verdict?: (Uint8Array|null);

                    /** ItemRecord batch */
                    batch?: (number|null);

                    /** ItemRecord leaf */
                    leaf?: (number|null);

                    /** ItemRecord path */
                    path?: (Uint8Array[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ItemRecord. */
                type $Shape = lightferry.bundle.v1.ItemRecord.$Properties;
            }

            /**
             * Properties of a Checkpoint.
             * @deprecated Use lightferry.bundle.v1.Checkpoint.$Properties instead.
             */
            interface ICheckpoint extends lightferry.bundle.v1.Checkpoint.$Properties {
            }

            /** Represents a Checkpoint. */
            class Checkpoint {

                /**
                 * Constructs a new Checkpoint.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.bundle.v1.Checkpoint.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Checkpoint note. */
                note: Uint8Array;

                /** Checkpoint oldSize. */
                oldSize: number;

                /** Checkpoint consistency. */
                consistency: Uint8Array[];

                /**
                 * Encodes the specified Checkpoint message. Does not implicitly {@link lightferry.bundle.v1.Checkpoint.verify|verify} messages.
                 * @param message Checkpoint message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.bundle.v1.Checkpoint.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Checkpoint message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.bundle.v1.Checkpoint & lightferry.bundle.v1.Checkpoint.$Shape} Checkpoint
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.bundle.v1.Checkpoint & lightferry.bundle.v1.Checkpoint.$Shape;
            }

            namespace Checkpoint {

                /** Properties of a Checkpoint. */
                interface $Properties {

                    /** Checkpoint note */
                    note?: (Uint8Array|null);

                    /** Checkpoint oldSize */
                    oldSize?: (number|null);

                    /** Checkpoint consistency */
                    consistency?: (Uint8Array[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Checkpoint. */
                type $Shape = lightferry.bundle.v1.Checkpoint.$Properties;
            }

            /**
             * Properties of a Manifest.
             * @deprecated Use lightferry.bundle.v1.Manifest.$Properties instead.
             */
            interface IManifest extends lightferry.bundle.v1.Manifest.$Properties {
            }

            /** Represents a Manifest. */
            class Manifest {

                /**
                 * Constructs a new Manifest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.bundle.v1.Manifest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Manifest items. */
                items: lightferry.bundle.v1.ManifestItem.$Properties[];

                /** Manifest trust. */
                trust: Uint8Array[];

                /**
                 * Encodes the specified Manifest message. Does not implicitly {@link lightferry.bundle.v1.Manifest.verify|verify} messages.
                 * @param message Manifest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.bundle.v1.Manifest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Manifest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.bundle.v1.Manifest & lightferry.bundle.v1.Manifest.$Shape} Manifest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.bundle.v1.Manifest & lightferry.bundle.v1.Manifest.$Shape;
            }

            namespace Manifest {

                /** Properties of a Manifest. */
                interface $Properties {

                    /** Manifest items */
                    items?: (lightferry.bundle.v1.ManifestItem.$Properties[]|null);

                    /** Manifest trust */
                    trust?: (Uint8Array[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Manifest. */
                type $Shape = lightferry.bundle.v1.Manifest.$Properties;
            }

            /**
             * Properties of a ManifestItem.
             * @deprecated Use lightferry.bundle.v1.ManifestItem.$Properties instead.
             */
            interface IManifestItem extends lightferry.bundle.v1.ManifestItem.$Properties {
            }

            /** Represents a ManifestItem. */
            class ManifestItem {

                /**
                 * Constructs a new ManifestItem.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.bundle.v1.ManifestItem.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ManifestItem salt. */
                salt: Uint8Array;

                /** ManifestItem entry. */
                entry: Uint8Array;

                /** ManifestItem trail. */
                trail: Uint8Array[];

                /**
                 * Encodes the specified ManifestItem message. Does not implicitly {@link lightferry.bundle.v1.ManifestItem.verify|verify} messages.
                 * @param message ManifestItem message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.bundle.v1.ManifestItem.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ManifestItem message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.bundle.v1.ManifestItem & lightferry.bundle.v1.ManifestItem.$Shape} ManifestItem
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.bundle.v1.ManifestItem & lightferry.bundle.v1.ManifestItem.$Shape;
            }

            namespace ManifestItem {

                /** Properties of a ManifestItem. */
                interface $Properties {

                    /** ManifestItem salt */
                    salt?: (Uint8Array|null);

                    /** ManifestItem entry */
                    entry?: (Uint8Array|null);

                    /** ManifestItem trail */
                    trail?: (Uint8Array[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ManifestItem. */
                type $Shape = lightferry.bundle.v1.ManifestItem.$Properties;
            }

            /**
             * Properties of a ManifestEntry.
             * @deprecated Use lightferry.bundle.v1.ManifestEntry.$Properties instead.
             */
            interface IManifestEntry extends lightferry.bundle.v1.ManifestEntry.$Properties {
            }

            /** Represents a ManifestEntry. */
            class ManifestEntry {

                /**
                 * Constructs a new ManifestEntry.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.bundle.v1.ManifestEntry.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ManifestEntry exchangeId. */
                exchangeId: Uint8Array;

                /** ManifestEntry kind. */
                kind: string;

                /** ManifestEntry service. */
                service: string;

                /** ManifestEntry caller. */
                caller: string;

                /** ManifestEntry grant. */
                grant: string;

                /** ManifestEntry grade. */
                grade: string;

                /** ManifestEntry purpose. */
                purpose: string;

                /** ManifestEntry http. */
                http?: (lightferry.bundle.v1.HttpRequest.$Properties|null);

                /** ManifestEntry file. */
                file?: (lightferry.bundle.v1.FileInfo.$Properties|null);

                /** ManifestEntry size. */
                size: number;

                /** ManifestEntry digest. */
                digest: Uint8Array;

                /** ManifestEntry submittedMs. */
                submittedMs: number;

                /** ManifestEntry orderingKey. */
                orderingKey: string;

                /**
                 * Encodes the specified ManifestEntry message. Does not implicitly {@link lightferry.bundle.v1.ManifestEntry.verify|verify} messages.
                 * @param message ManifestEntry message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.bundle.v1.ManifestEntry.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ManifestEntry message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.bundle.v1.ManifestEntry & lightferry.bundle.v1.ManifestEntry.$Shape} ManifestEntry
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.bundle.v1.ManifestEntry & lightferry.bundle.v1.ManifestEntry.$Shape;
            }

            namespace ManifestEntry {

                /** Properties of a ManifestEntry. */
                interface $Properties {

                    /** ManifestEntry exchangeId */
                    exchangeId?: (Uint8Array|null);

                    /** ManifestEntry kind */
                    kind?: (string|null);

                    /** ManifestEntry service */
                    service?: (string|null);

                    /** ManifestEntry caller */
                    caller?: (string|null);

                    /** ManifestEntry grant */
                    grant?: (string|null);

                    /** ManifestEntry grade */
                    grade?: (string|null);

                    /** ManifestEntry purpose */
                    purpose?: (string|null);

                    /** ManifestEntry http */
                    http?: (lightferry.bundle.v1.HttpRequest.$Properties|null);

                    /** ManifestEntry file */
                    file?: (lightferry.bundle.v1.FileInfo.$Properties|null);

                    /** ManifestEntry size */
                    size?: (number|null);

                    /** ManifestEntry digest */
                    digest?: (Uint8Array|null);

                    /** ManifestEntry submittedMs */
                    submittedMs?: (number|null);

                    /** ManifestEntry orderingKey */
                    orderingKey?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ManifestEntry. */
                type $Shape = lightferry.bundle.v1.ManifestEntry.$Properties;
            }

            /**
             * Properties of a HttpRequest.
             * @deprecated Use lightferry.bundle.v1.HttpRequest.$Properties instead.
             */
            interface IHttpRequest extends lightferry.bundle.v1.HttpRequest.$Properties {
            }

            /** Represents a HttpRequest. */
            class HttpRequest {

                /**
                 * Constructs a new HttpRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.bundle.v1.HttpRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** HttpRequest method. */
                method: string;

                /** HttpRequest path. */
                path: string;

                /** HttpRequest headers. */
                headers: lightferry.bundle.v1.HttpHeader.$Properties[];

                /**
                 * Encodes the specified HttpRequest message. Does not implicitly {@link lightferry.bundle.v1.HttpRequest.verify|verify} messages.
                 * @param message HttpRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.bundle.v1.HttpRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a HttpRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.bundle.v1.HttpRequest & lightferry.bundle.v1.HttpRequest.$Shape} HttpRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.bundle.v1.HttpRequest & lightferry.bundle.v1.HttpRequest.$Shape;
            }

            namespace HttpRequest {

                /** Properties of a HttpRequest. */
                interface $Properties {

                    /** HttpRequest method */
                    method?: (string|null);

                    /** HttpRequest path */
                    path?: (string|null);

                    /** HttpRequest headers */
                    headers?: (lightferry.bundle.v1.HttpHeader.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a HttpRequest. */
                type $Shape = lightferry.bundle.v1.HttpRequest.$Properties;
            }

            /**
             * Properties of a HttpHeader.
             * @deprecated Use lightferry.bundle.v1.HttpHeader.$Properties instead.
             */
            interface IHttpHeader extends lightferry.bundle.v1.HttpHeader.$Properties {
            }

            /** Represents a HttpHeader. */
            class HttpHeader {

                /**
                 * Constructs a new HttpHeader.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.bundle.v1.HttpHeader.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** HttpHeader name. */
                name: string;

                /** HttpHeader value. */
                value: string;

                /**
                 * Encodes the specified HttpHeader message. Does not implicitly {@link lightferry.bundle.v1.HttpHeader.verify|verify} messages.
                 * @param message HttpHeader message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.bundle.v1.HttpHeader.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a HttpHeader message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.bundle.v1.HttpHeader & lightferry.bundle.v1.HttpHeader.$Shape} HttpHeader
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.bundle.v1.HttpHeader & lightferry.bundle.v1.HttpHeader.$Shape;
            }

            namespace HttpHeader {

                /** Properties of a HttpHeader. */
                interface $Properties {

                    /** HttpHeader name */
                    name?: (string|null);

                    /** HttpHeader value */
                    value?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a HttpHeader. */
                type $Shape = lightferry.bundle.v1.HttpHeader.$Properties;
            }

            /**
             * Properties of a FileInfo.
             * @deprecated Use lightferry.bundle.v1.FileInfo.$Properties instead.
             */
            interface IFileInfo extends lightferry.bundle.v1.FileInfo.$Properties {
            }

            /** Represents a FileInfo. */
            class FileInfo {

                /**
                 * Constructs a new FileInfo.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.bundle.v1.FileInfo.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** FileInfo name. */
                name: string;

                /** FileInfo contentType. */
                contentType: string;

                /**
                 * Encodes the specified FileInfo message. Does not implicitly {@link lightferry.bundle.v1.FileInfo.verify|verify} messages.
                 * @param message FileInfo message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.bundle.v1.FileInfo.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a FileInfo message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.bundle.v1.FileInfo & lightferry.bundle.v1.FileInfo.$Shape} FileInfo
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.bundle.v1.FileInfo & lightferry.bundle.v1.FileInfo.$Shape;
            }

            namespace FileInfo {

                /** Properties of a FileInfo. */
                interface $Properties {

                    /** FileInfo name */
                    name?: (string|null);

                    /** FileInfo contentType */
                    contentType?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a FileInfo. */
                type $Shape = lightferry.bundle.v1.FileInfo.$Properties;
            }
        }
    }

    /** Namespace ferry. */
    namespace ferry {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of a FileHead.
             * @deprecated Use lightferry.ferry.v1.FileHead.$Properties instead.
             */
            interface IFileHead extends lightferry.ferry.v1.FileHead.$Properties {
            }

            /** Represents a FileHead. */
            class FileHead {

                /**
                 * Constructs a new FileHead.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.FileHead.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** FileHead version. */
                version: number;

                /** FileHead sender. */
                sender: string;

                /** FileHead lane. */
                lane: string;

                /** FileHead epoch. */
                epoch: number;

                /** FileHead number. */
                number: number;

                /** FileHead timeMs. */
                timeMs: number;

                /** FileHead streams. */
                streams: lightferry.ferry.v1.StreamPosition.$Properties[];

                /** FileHead part. */
                part?: (lightferry.ferry.v1.FilePart.$Properties|null);

                /** FileHead inventorySize. */
                inventorySize: number;

                /**
                 * Encodes the specified FileHead message. Does not implicitly {@link lightferry.ferry.v1.FileHead.verify|verify} messages.
                 * @param message FileHead message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.FileHead.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a FileHead message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.FileHead & lightferry.ferry.v1.FileHead.$Shape} FileHead
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.FileHead & lightferry.ferry.v1.FileHead.$Shape;
            }

            namespace FileHead {

                /** Properties of a FileHead. */
                interface $Properties {

                    /** FileHead version */
                    version?: (number|null);

                    /** FileHead sender */
                    sender?: (string|null);

                    /** FileHead lane */
                    lane?: (string|null);

                    /** FileHead epoch */
                    epoch?: (number|null);

                    /** FileHead number */
                    number?: (number|null);

                    /** FileHead timeMs */
                    timeMs?: (number|null);

                    /** FileHead streams */
                    streams?: (lightferry.ferry.v1.StreamPosition.$Properties[]|null);

                    /** FileHead part */
                    part?: (lightferry.ferry.v1.FilePart.$Properties|null);

                    /** FileHead inventorySize */
                    inventorySize?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a FileHead. */
                type $Shape = lightferry.ferry.v1.FileHead.$Properties;
            }

            /**
             * Properties of a FilePart.
             * @deprecated Use lightferry.ferry.v1.FilePart.$Properties instead.
             */
            interface IFilePart extends lightferry.ferry.v1.FilePart.$Properties {
            }

            /** Represents a FilePart. */
            class FilePart {

                /**
                 * Constructs a new FilePart.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.FilePart.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** FilePart shipmentId. */
                shipmentId: Uint8Array;

                /** FilePart size. */
                size: number;

                /** FilePart manifestSize. */
                manifestSize: number;

                /** FilePart partBytes. */
                partBytes: number;

                /** FilePart dataParts. */
                dataParts: number;

                /** FilePart parityParts. */
                parityParts: number;

                /** FilePart group. */
                group: number;

                /** FilePart index. */
                index: number;

                /** FilePart digest. */
                digest: Uint8Array;

                /**
                 * Encodes the specified FilePart message. Does not implicitly {@link lightferry.ferry.v1.FilePart.verify|verify} messages.
                 * @param message FilePart message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.FilePart.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a FilePart message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.FilePart & lightferry.ferry.v1.FilePart.$Shape} FilePart
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.FilePart & lightferry.ferry.v1.FilePart.$Shape;
            }

            namespace FilePart {

                /** Properties of a FilePart. */
                interface $Properties {

                    /** FilePart shipmentId */
                    shipmentId?: (Uint8Array|null);

                    /** FilePart size */
                    size?: (number|null);

                    /** FilePart manifestSize */
                    manifestSize?: (number|null);

                    /** FilePart partBytes */
                    partBytes?: (number|null);

                    /** FilePart dataParts */
                    dataParts?: (number|null);

                    /** FilePart parityParts */
                    parityParts?: (number|null);

                    /** FilePart group */
                    group?: (number|null);

                    /** FilePart index */
                    index?: (number|null);

                    /** FilePart digest */
                    digest?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a FilePart. */
                type $Shape = lightferry.ferry.v1.FilePart.$Properties;
            }

            /**
             * Properties of a ShipmentManifest.
             * @deprecated Use lightferry.ferry.v1.ShipmentManifest.$Properties instead.
             */
            interface IShipmentManifest extends lightferry.ferry.v1.ShipmentManifest.$Properties {
            }

            /** Represents a ShipmentManifest. */
            class ShipmentManifest {

                /**
                 * Constructs a new ShipmentManifest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.ShipmentManifest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ShipmentManifest bundles. */
                bundles: lightferry.ferry.v1.MediaBundle.$Properties[];

                /**
                 * Encodes the specified ShipmentManifest message. Does not implicitly {@link lightferry.ferry.v1.ShipmentManifest.verify|verify} messages.
                 * @param message ShipmentManifest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.ShipmentManifest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ShipmentManifest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.ShipmentManifest & lightferry.ferry.v1.ShipmentManifest.$Shape} ShipmentManifest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.ShipmentManifest & lightferry.ferry.v1.ShipmentManifest.$Shape;
            }

            namespace ShipmentManifest {

                /** Properties of a ShipmentManifest. */
                interface $Properties {

                    /** ShipmentManifest bundles */
                    bundles?: (lightferry.ferry.v1.MediaBundle.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ShipmentManifest. */
                type $Shape = lightferry.ferry.v1.ShipmentManifest.$Properties;
            }

            /**
             * Properties of a LeaseRequest.
             * @deprecated Use lightferry.ferry.v1.LeaseRequest.$Properties instead.
             */
            interface ILeaseRequest extends lightferry.ferry.v1.LeaseRequest.$Properties {
            }

            /** Represents a LeaseRequest. */
            class LeaseRequest {

                /**
                 * Constructs a new LeaseRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.LeaseRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LeaseRequest lane. */
                lane: string;

                /** LeaseRequest worker. */
                worker: string;

                /** LeaseRequest max. */
                max: number;

                /** LeaseRequest waitMs. */
                waitMs: number;

                /** LeaseRequest medium. */
                medium: boolean;

                /** LeaseRequest urgent. */
                urgent?: (lightferry.ferry.v1.LeaseRoom.$Properties|null);

                /** LeaseRequest normal. */
                normal?: (lightferry.ferry.v1.LeaseRoom.$Properties|null);

                /** LeaseRequest bulk. */
                bulk?: (lightferry.ferry.v1.LeaseRoom.$Properties|null);

                /** LeaseRequest repeated. */
                repeated?: (lightferry.ferry.v1.LeaseRoom.$Properties|null);

                /**
                 * Encodes the specified LeaseRequest message. Does not implicitly {@link lightferry.ferry.v1.LeaseRequest.verify|verify} messages.
                 * @param message LeaseRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.LeaseRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LeaseRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.LeaseRequest & lightferry.ferry.v1.LeaseRequest.$Shape} LeaseRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.LeaseRequest & lightferry.ferry.v1.LeaseRequest.$Shape;
            }

            namespace LeaseRequest {

                /** Properties of a LeaseRequest. */
                interface $Properties {

                    /** LeaseRequest lane */
                    lane?: (string|null);

                    /** LeaseRequest worker */
                    worker?: (string|null);

                    /** LeaseRequest max */
                    max?: (number|null);

                    /** LeaseRequest waitMs */
                    waitMs?: (number|null);

                    /** LeaseRequest medium */
                    medium?: (boolean|null);

                    /** LeaseRequest urgent */
                    urgent?: (lightferry.ferry.v1.LeaseRoom.$Properties|null);

                    /** LeaseRequest normal */
                    normal?: (lightferry.ferry.v1.LeaseRoom.$Properties|null);

                    /** LeaseRequest bulk */
                    bulk?: (lightferry.ferry.v1.LeaseRoom.$Properties|null);

                    /** LeaseRequest repeated */
                    repeated?: (lightferry.ferry.v1.LeaseRoom.$Properties|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LeaseRequest. */
                type $Shape = lightferry.ferry.v1.LeaseRequest.$Properties;
            }

            /**
             * Properties of a LeaseRoom.
             * @deprecated Use lightferry.ferry.v1.LeaseRoom.$Properties instead.
             */
            interface ILeaseRoom extends lightferry.ferry.v1.LeaseRoom.$Properties {
            }

            /** Represents a LeaseRoom. */
            class LeaseRoom {

                /**
                 * Constructs a new LeaseRoom.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.LeaseRoom.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LeaseRoom bundles. */
                bundles: number;

                /** LeaseRoom anySize. */
                anySize: number;

                /** LeaseRoom bytes. */
                bytes: number;

                /**
                 * Encodes the specified LeaseRoom message. Does not implicitly {@link lightferry.ferry.v1.LeaseRoom.verify|verify} messages.
                 * @param message LeaseRoom message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.LeaseRoom.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LeaseRoom message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.LeaseRoom & lightferry.ferry.v1.LeaseRoom.$Shape} LeaseRoom
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.LeaseRoom & lightferry.ferry.v1.LeaseRoom.$Shape;
            }

            namespace LeaseRoom {

                /** Properties of a LeaseRoom. */
                interface $Properties {

                    /** LeaseRoom bundles */
                    bundles?: (number|null);

                    /** LeaseRoom anySize */
                    anySize?: (number|null);

                    /** LeaseRoom bytes */
                    bytes?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LeaseRoom. */
                type $Shape = lightferry.ferry.v1.LeaseRoom.$Properties;
            }

            /**
             * Properties of a LeasedBundle.
             * @deprecated Use lightferry.ferry.v1.LeasedBundle.$Properties instead.
             */
            interface ILeasedBundle extends lightferry.ferry.v1.LeasedBundle.$Properties {
            }

            /** Represents a LeasedBundle. */
            class LeasedBundle {

                /**
                 * Constructs a new LeasedBundle.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.LeasedBundle.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LeasedBundle bundleId. */
                bundleId: Uint8Array;

                /** LeasedBundle file. */
                file: string;

                /** LeasedBundle size. */
                size: number;

                /** LeasedBundle headerDigest. */
                headerDigest: Uint8Array;

                /** LeasedBundle stream. */
                stream: string;

                /** LeasedBundle sequence. */
                sequence: number;

                /** LeasedBundle priority. */
                priority: string;

                /** LeasedBundle expiresMs. */
                expiresMs: number;

                /** LeasedBundle leaseId. */
                leaseId: string;

                /** LeasedBundle passesDone. */
                passesDone: number;

                /** LeasedBundle repair. */
                repair: boolean;

                /**
                 * Encodes the specified LeasedBundle message. Does not implicitly {@link lightferry.ferry.v1.LeasedBundle.verify|verify} messages.
                 * @param message LeasedBundle message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.LeasedBundle.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LeasedBundle message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.LeasedBundle & lightferry.ferry.v1.LeasedBundle.$Shape} LeasedBundle
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.LeasedBundle & lightferry.ferry.v1.LeasedBundle.$Shape;
            }

            namespace LeasedBundle {

                /** Properties of a LeasedBundle. */
                interface $Properties {

                    /** LeasedBundle bundleId */
                    bundleId?: (Uint8Array|null);

                    /** LeasedBundle file */
                    file?: (string|null);

                    /** LeasedBundle size */
                    size?: (number|null);

                    /** LeasedBundle headerDigest */
                    headerDigest?: (Uint8Array|null);

                    /** LeasedBundle stream */
                    stream?: (string|null);

                    /** LeasedBundle sequence */
                    sequence?: (number|null);

                    /** LeasedBundle priority */
                    priority?: (string|null);

                    /** LeasedBundle expiresMs */
                    expiresMs?: (number|null);

                    /** LeasedBundle leaseId */
                    leaseId?: (string|null);

                    /** LeasedBundle passesDone */
                    passesDone?: (number|null);

                    /** LeasedBundle repair */
                    repair?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LeasedBundle. */
                type $Shape = lightferry.ferry.v1.LeasedBundle.$Properties;
            }

            /**
             * Properties of a LeaseResponse.
             * @deprecated Use lightferry.ferry.v1.LeaseResponse.$Properties instead.
             */
            interface ILeaseResponse extends lightferry.ferry.v1.LeaseResponse.$Properties {
            }

            /** Represents a LeaseResponse. */
            class LeaseResponse {

                /**
                 * Constructs a new LeaseResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.LeaseResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LeaseResponse bundles. */
                bundles: lightferry.ferry.v1.LeasedBundle.$Properties[];

                /**
                 * Encodes the specified LeaseResponse message. Does not implicitly {@link lightferry.ferry.v1.LeaseResponse.verify|verify} messages.
                 * @param message LeaseResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.LeaseResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LeaseResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.LeaseResponse & lightferry.ferry.v1.LeaseResponse.$Shape} LeaseResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.LeaseResponse & lightferry.ferry.v1.LeaseResponse.$Shape;
            }

            namespace LeaseResponse {

                /** Properties of a LeaseResponse. */
                interface $Properties {

                    /** LeaseResponse bundles */
                    bundles?: (lightferry.ferry.v1.LeasedBundle.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LeaseResponse. */
                type $Shape = lightferry.ferry.v1.LeaseResponse.$Properties;
            }

            /**
             * Properties of an AckRequest.
             * @deprecated Use lightferry.ferry.v1.AckRequest.$Properties instead.
             */
            interface IAckRequest extends lightferry.ferry.v1.AckRequest.$Properties {
            }

            /** Represents an AckRequest. */
            class AckRequest {

                /**
                 * Constructs a new AckRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.AckRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** AckRequest bundleId. */
                bundleId: Uint8Array;

                /** AckRequest leaseId. */
                leaseId: string;

                /** AckRequest passesDone. */
                passesDone: number;

                /** AckRequest finished. */
                finished: boolean;

                /** AckRequest refuseCode. */
                refuseCode: string;

                /**
                 * Encodes the specified AckRequest message. Does not implicitly {@link lightferry.ferry.v1.AckRequest.verify|verify} messages.
                 * @param message AckRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.AckRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an AckRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.AckRequest & lightferry.ferry.v1.AckRequest.$Shape} AckRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.AckRequest & lightferry.ferry.v1.AckRequest.$Shape;
            }

            namespace AckRequest {

                /** Properties of an AckRequest. */
                interface $Properties {

                    /** AckRequest bundleId */
                    bundleId?: (Uint8Array|null);

                    /** AckRequest leaseId */
                    leaseId?: (string|null);

                    /** AckRequest passesDone */
                    passesDone?: (number|null);

                    /** AckRequest finished */
                    finished?: (boolean|null);

                    /** AckRequest refuseCode */
                    refuseCode?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an AckRequest. */
                type $Shape = lightferry.ferry.v1.AckRequest.$Properties;
            }

            /**
             * Properties of an AckResponse.
             * @deprecated Use lightferry.ferry.v1.AckResponse.$Properties instead.
             */
            interface IAckResponse extends lightferry.ferry.v1.AckResponse.$Properties {
            }

            /** Represents an AckResponse. */
            class AckResponse {

                /**
                 * Constructs a new AckResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.AckResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified AckResponse message. Does not implicitly {@link lightferry.ferry.v1.AckResponse.verify|verify} messages.
                 * @param message AckResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.AckResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an AckResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.AckResponse & lightferry.ferry.v1.AckResponse.$Shape} AckResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.AckResponse & lightferry.ferry.v1.AckResponse.$Shape;
            }

            namespace AckResponse {

                /** Properties of an AckResponse. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an AckResponse. */
                type $Shape = lightferry.ferry.v1.AckResponse.$Properties;
            }

            /**
             * Properties of a RenewRequest.
             * @deprecated Use lightferry.ferry.v1.RenewRequest.$Properties instead.
             */
            interface IRenewRequest extends lightferry.ferry.v1.RenewRequest.$Properties {
            }

            /** Represents a RenewRequest. */
            class RenewRequest {

                /**
                 * Constructs a new RenewRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.RenewRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RenewRequest lane. */
                lane: string;

                /** RenewRequest leaseIds. */
                leaseIds: string[];

                /**
                 * Encodes the specified RenewRequest message. Does not implicitly {@link lightferry.ferry.v1.RenewRequest.verify|verify} messages.
                 * @param message RenewRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.RenewRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RenewRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.RenewRequest & lightferry.ferry.v1.RenewRequest.$Shape} RenewRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.RenewRequest & lightferry.ferry.v1.RenewRequest.$Shape;
            }

            namespace RenewRequest {

                /** Properties of a RenewRequest. */
                interface $Properties {

                    /** RenewRequest lane */
                    lane?: (string|null);

                    /** RenewRequest leaseIds */
                    leaseIds?: (string[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RenewRequest. */
                type $Shape = lightferry.ferry.v1.RenewRequest.$Properties;
            }

            /**
             * Properties of a RenewResponse.
             * @deprecated Use lightferry.ferry.v1.RenewResponse.$Properties instead.
             */
            interface IRenewResponse extends lightferry.ferry.v1.RenewResponse.$Properties {
            }

            /** Represents a RenewResponse. */
            class RenewResponse {

                /**
                 * Constructs a new RenewResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.RenewResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RenewResponse lost. */
                lost: string[];

                /**
                 * Encodes the specified RenewResponse message. Does not implicitly {@link lightferry.ferry.v1.RenewResponse.verify|verify} messages.
                 * @param message RenewResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.RenewResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RenewResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.RenewResponse & lightferry.ferry.v1.RenewResponse.$Shape} RenewResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.RenewResponse & lightferry.ferry.v1.RenewResponse.$Shape;
            }

            namespace RenewResponse {

                /** Properties of a RenewResponse. */
                interface $Properties {

                    /** RenewResponse lost */
                    lost?: (string[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RenewResponse. */
                type $Shape = lightferry.ferry.v1.RenewResponse.$Properties;
            }

            /**
             * Properties of a SequenceRange.
             * @deprecated Use lightferry.ferry.v1.SequenceRange.$Properties instead.
             */
            interface ISequenceRange extends lightferry.ferry.v1.SequenceRange.$Properties {
            }

            /** Represents a SequenceRange. */
            class SequenceRange {

                /**
                 * Constructs a new SequenceRange.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.SequenceRange.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** SequenceRange first. */
                first: number;

                /** SequenceRange last. */
                last: number;

                /**
                 * Encodes the specified SequenceRange message. Does not implicitly {@link lightferry.ferry.v1.SequenceRange.verify|verify} messages.
                 * @param message SequenceRange message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.SequenceRange.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a SequenceRange message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.SequenceRange & lightferry.ferry.v1.SequenceRange.$Shape} SequenceRange
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.SequenceRange & lightferry.ferry.v1.SequenceRange.$Shape;
            }

            namespace SequenceRange {

                /** Properties of a SequenceRange. */
                interface $Properties {

                    /** SequenceRange first */
                    first?: (number|null);

                    /** SequenceRange last */
                    last?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a SequenceRange. */
                type $Shape = lightferry.ferry.v1.SequenceRange.$Properties;
            }

            /**
             * Properties of a StreamRanges.
             * @deprecated Use lightferry.ferry.v1.StreamRanges.$Properties instead.
             */
            interface IStreamRanges extends lightferry.ferry.v1.StreamRanges.$Properties {
            }

            /** Represents a StreamRanges. */
            class StreamRanges {

                /**
                 * Constructs a new StreamRanges.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.StreamRanges.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** StreamRanges stream. */
                stream: string;

                /** StreamRanges ranges. */
                ranges: lightferry.ferry.v1.SequenceRange.$Properties[];

                /**
                 * Encodes the specified StreamRanges message. Does not implicitly {@link lightferry.ferry.v1.StreamRanges.verify|verify} messages.
                 * @param message StreamRanges message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.StreamRanges.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a StreamRanges message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.StreamRanges & lightferry.ferry.v1.StreamRanges.$Shape} StreamRanges
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.StreamRanges & lightferry.ferry.v1.StreamRanges.$Shape;
            }

            namespace StreamRanges {

                /** Properties of a StreamRanges. */
                interface $Properties {

                    /** StreamRanges stream */
                    stream?: (string|null);

                    /** StreamRanges ranges */
                    ranges?: (lightferry.ferry.v1.SequenceRange.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a StreamRanges. */
                type $Shape = lightferry.ferry.v1.StreamRanges.$Properties;
            }

            /**
             * Properties of a ListEmittedRequest.
             * @deprecated Use lightferry.ferry.v1.ListEmittedRequest.$Properties instead.
             */
            interface IListEmittedRequest extends lightferry.ferry.v1.ListEmittedRequest.$Properties {
            }

            /** Represents a ListEmittedRequest. */
            class ListEmittedRequest {

                /**
                 * Constructs a new ListEmittedRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.ListEmittedRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ListEmittedRequest lane. */
                lane: string;

                /** ListEmittedRequest sinceMs. */
                sinceMs: number;

                /** ListEmittedRequest afterStream. */
                afterStream: string;

                /**
                 * Encodes the specified ListEmittedRequest message. Does not implicitly {@link lightferry.ferry.v1.ListEmittedRequest.verify|verify} messages.
                 * @param message ListEmittedRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.ListEmittedRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ListEmittedRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.ListEmittedRequest & lightferry.ferry.v1.ListEmittedRequest.$Shape} ListEmittedRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.ListEmittedRequest & lightferry.ferry.v1.ListEmittedRequest.$Shape;
            }

            namespace ListEmittedRequest {

                /** Properties of a ListEmittedRequest. */
                interface $Properties {

                    /** ListEmittedRequest lane */
                    lane?: (string|null);

                    /** ListEmittedRequest sinceMs */
                    sinceMs?: (number|null);

                    /** ListEmittedRequest afterStream */
                    afterStream?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ListEmittedRequest. */
                type $Shape = lightferry.ferry.v1.ListEmittedRequest.$Properties;
            }

            /**
             * Properties of a ListEmittedResponse.
             * @deprecated Use lightferry.ferry.v1.ListEmittedResponse.$Properties instead.
             */
            interface IListEmittedResponse extends lightferry.ferry.v1.ListEmittedResponse.$Properties {
            }

            /** Represents a ListEmittedResponse. */
            class ListEmittedResponse {

                /**
                 * Constructs a new ListEmittedResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.ListEmittedResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ListEmittedResponse held. */
                held: lightferry.ferry.v1.StreamRanges.$Properties[];

                /** ListEmittedResponse givenUp. */
                givenUp: lightferry.ferry.v1.StreamRanges.$Properties[];

                /** ListEmittedResponse more. */
                more: boolean;

                /**
                 * Encodes the specified ListEmittedResponse message. Does not implicitly {@link lightferry.ferry.v1.ListEmittedResponse.verify|verify} messages.
                 * @param message ListEmittedResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.ListEmittedResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ListEmittedResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.ListEmittedResponse & lightferry.ferry.v1.ListEmittedResponse.$Shape} ListEmittedResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.ListEmittedResponse & lightferry.ferry.v1.ListEmittedResponse.$Shape;
            }

            namespace ListEmittedResponse {

                /** Properties of a ListEmittedResponse. */
                interface $Properties {

                    /** ListEmittedResponse held */
                    held?: (lightferry.ferry.v1.StreamRanges.$Properties[]|null);

                    /** ListEmittedResponse givenUp */
                    givenUp?: (lightferry.ferry.v1.StreamRanges.$Properties[]|null);

                    /** ListEmittedResponse more */
                    more?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ListEmittedResponse. */
                type $Shape = lightferry.ferry.v1.ListEmittedResponse.$Properties;
            }

            /**
             * Properties of a RecallRequest.
             * @deprecated Use lightferry.ferry.v1.RecallRequest.$Properties instead.
             */
            interface IRecallRequest extends lightferry.ferry.v1.RecallRequest.$Properties {
            }

            /** Represents a RecallRequest. */
            class RecallRequest {

                /**
                 * Constructs a new RecallRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.RecallRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RecallRequest lane. */
                lane: string;

                /** RecallRequest ticket. */
                ticket: string;

                /** RecallRequest streams. */
                streams: lightferry.ferry.v1.StreamRanges.$Properties[];

                /**
                 * Encodes the specified RecallRequest message. Does not implicitly {@link lightferry.ferry.v1.RecallRequest.verify|verify} messages.
                 * @param message RecallRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.RecallRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RecallRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.RecallRequest & lightferry.ferry.v1.RecallRequest.$Shape} RecallRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.RecallRequest & lightferry.ferry.v1.RecallRequest.$Shape;
            }

            namespace RecallRequest {

                /** Properties of a RecallRequest. */
                interface $Properties {

                    /** RecallRequest lane */
                    lane?: (string|null);

                    /** RecallRequest ticket */
                    ticket?: (string|null);

                    /** RecallRequest streams */
                    streams?: (lightferry.ferry.v1.StreamRanges.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RecallRequest. */
                type $Shape = lightferry.ferry.v1.RecallRequest.$Properties;
            }

            /**
             * Properties of a RecallResponse.
             * @deprecated Use lightferry.ferry.v1.RecallResponse.$Properties instead.
             */
            interface IRecallResponse extends lightferry.ferry.v1.RecallResponse.$Properties {
            }

            /** Represents a RecallResponse. */
            class RecallResponse {

                /**
                 * Constructs a new RecallResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.RecallResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RecallResponse recalled. */
                recalled: number;

                /** RecallResponse underWay. */
                underWay: number;

                /** RecallResponse gone. */
                gone: lightferry.ferry.v1.StreamRanges.$Properties[];

                /**
                 * Encodes the specified RecallResponse message. Does not implicitly {@link lightferry.ferry.v1.RecallResponse.verify|verify} messages.
                 * @param message RecallResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.RecallResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RecallResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.RecallResponse & lightferry.ferry.v1.RecallResponse.$Shape} RecallResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.RecallResponse & lightferry.ferry.v1.RecallResponse.$Shape;
            }

            namespace RecallResponse {

                /** Properties of a RecallResponse. */
                interface $Properties {

                    /** RecallResponse recalled */
                    recalled?: (number|null);

                    /** RecallResponse underWay */
                    underWay?: (number|null);

                    /** RecallResponse gone */
                    gone?: (lightferry.ferry.v1.StreamRanges.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RecallResponse. */
                type $Shape = lightferry.ferry.v1.RecallResponse.$Properties;
            }

            /**
             * Properties of a DeliverRequest.
             * @deprecated Use lightferry.ferry.v1.DeliverRequest.$Properties instead.
             */
            interface IDeliverRequest extends lightferry.ferry.v1.DeliverRequest.$Properties {
            }

            /** Represents a DeliverRequest. */
            class DeliverRequest {

                /**
                 * Constructs a new DeliverRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.DeliverRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** DeliverRequest bundleId. */
                bundleId: Uint8Array;

                /** DeliverRequest file. */
                file: string;

                /** DeliverRequest size. */
                size: number;

                /** DeliverRequest headerDigest. */
                headerDigest: Uint8Array;

                /** DeliverRequest lane. */
                lane: string;

                /** DeliverRequest receivedMs. */
                receivedMs: number;

                /** DeliverRequest senderTime. */
                senderTime?: (lightferry.ferry.v1.SenderTime.$Properties|null);

                /** DeliverRequest refusedCode. */
                refusedCode: string;

                /**
                 * Encodes the specified DeliverRequest message. Does not implicitly {@link lightferry.ferry.v1.DeliverRequest.verify|verify} messages.
                 * @param message DeliverRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.DeliverRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a DeliverRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.DeliverRequest & lightferry.ferry.v1.DeliverRequest.$Shape} DeliverRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.DeliverRequest & lightferry.ferry.v1.DeliverRequest.$Shape;
            }

            namespace DeliverRequest {

                /** Properties of a DeliverRequest. */
                interface $Properties {

                    /** DeliverRequest bundleId */
                    bundleId?: (Uint8Array|null);

                    /** DeliverRequest file */
                    file?: (string|null);

                    /** DeliverRequest size */
                    size?: (number|null);

                    /** DeliverRequest headerDigest */
                    headerDigest?: (Uint8Array|null);

                    /** DeliverRequest lane */
                    lane?: (string|null);

                    /** DeliverRequest receivedMs */
                    receivedMs?: (number|null);

                    /** DeliverRequest senderTime */
                    senderTime?: (lightferry.ferry.v1.SenderTime.$Properties|null);

                    /** DeliverRequest refusedCode */
                    refusedCode?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a DeliverRequest. */
                type $Shape = lightferry.ferry.v1.DeliverRequest.$Properties;
            }

            /**
             * Properties of a SenderTime.
             * @deprecated Use lightferry.ferry.v1.SenderTime.$Properties instead.
             */
            interface ISenderTime extends lightferry.ferry.v1.SenderTime.$Properties {
            }

            /** Represents a SenderTime. */
            class SenderTime {

                /**
                 * Constructs a new SenderTime.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.SenderTime.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** SenderTime nowMs. */
                nowMs: number;

                /** SenderTime latestMs. */
                latestMs: number;

                /** SenderTime ageMs. */
                ageMs: number;

                /**
                 * Encodes the specified SenderTime message. Does not implicitly {@link lightferry.ferry.v1.SenderTime.verify|verify} messages.
                 * @param message SenderTime message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.SenderTime.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a SenderTime message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.SenderTime & lightferry.ferry.v1.SenderTime.$Shape} SenderTime
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.SenderTime & lightferry.ferry.v1.SenderTime.$Shape;
            }

            namespace SenderTime {

                /** Properties of a SenderTime. */
                interface $Properties {

                    /** SenderTime nowMs */
                    nowMs?: (number|null);

                    /** SenderTime latestMs */
                    latestMs?: (number|null);

                    /** SenderTime ageMs */
                    ageMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a SenderTime. */
                type $Shape = lightferry.ferry.v1.SenderTime.$Properties;
            }

            /**
             * Properties of a DeliverResponse.
             * @deprecated Use lightferry.ferry.v1.DeliverResponse.$Properties instead.
             */
            interface IDeliverResponse extends lightferry.ferry.v1.DeliverResponse.$Properties {
            }

            /** Represents a DeliverResponse. */
            class DeliverResponse {

                /**
                 * Constructs a new DeliverResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.DeliverResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** DeliverResponse status. */
                status: string;

                /** DeliverResponse code. */
                code: string;

                /**
                 * Encodes the specified DeliverResponse message. Does not implicitly {@link lightferry.ferry.v1.DeliverResponse.verify|verify} messages.
                 * @param message DeliverResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.DeliverResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a DeliverResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.DeliverResponse & lightferry.ferry.v1.DeliverResponse.$Shape} DeliverResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.DeliverResponse & lightferry.ferry.v1.DeliverResponse.$Shape;
            }

            namespace DeliverResponse {

                /** Properties of a DeliverResponse. */
                interface $Properties {

                    /** DeliverResponse status */
                    status?: (string|null);

                    /** DeliverResponse code */
                    code?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a DeliverResponse. */
                type $Shape = lightferry.ferry.v1.DeliverResponse.$Properties;
            }

            /**
             * Properties of an OpenLinkKeyRequest.
             * @deprecated Use lightferry.ferry.v1.OpenLinkKeyRequest.$Properties instead.
             */
            interface IOpenLinkKeyRequest extends lightferry.ferry.v1.OpenLinkKeyRequest.$Properties {
            }

            /** Represents an OpenLinkKeyRequest. */
            class OpenLinkKeyRequest {

                /**
                 * Constructs a new OpenLinkKeyRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.OpenLinkKeyRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** OpenLinkKeyRequest keyId. */
                keyId: string;

                /** OpenLinkKeyRequest wrapped. */
                wrapped: Uint8Array;

                /**
                 * Encodes the specified OpenLinkKeyRequest message. Does not implicitly {@link lightferry.ferry.v1.OpenLinkKeyRequest.verify|verify} messages.
                 * @param message OpenLinkKeyRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.OpenLinkKeyRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an OpenLinkKeyRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.OpenLinkKeyRequest & lightferry.ferry.v1.OpenLinkKeyRequest.$Shape} OpenLinkKeyRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.OpenLinkKeyRequest & lightferry.ferry.v1.OpenLinkKeyRequest.$Shape;
            }

            namespace OpenLinkKeyRequest {

                /** Properties of an OpenLinkKeyRequest. */
                interface $Properties {

                    /** OpenLinkKeyRequest keyId */
                    keyId?: (string|null);

                    /** OpenLinkKeyRequest wrapped */
                    wrapped?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an OpenLinkKeyRequest. */
                type $Shape = lightferry.ferry.v1.OpenLinkKeyRequest.$Properties;
            }

            /**
             * Properties of an OpenLinkKeyResponse.
             * @deprecated Use lightferry.ferry.v1.OpenLinkKeyResponse.$Properties instead.
             */
            interface IOpenLinkKeyResponse extends lightferry.ferry.v1.OpenLinkKeyResponse.$Properties {
            }

            /** Represents an OpenLinkKeyResponse. */
            class OpenLinkKeyResponse {

                /**
                 * Constructs a new OpenLinkKeyResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.OpenLinkKeyResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** OpenLinkKeyResponse secret. */
                secret: Uint8Array;

                /**
                 * Encodes the specified OpenLinkKeyResponse message. Does not implicitly {@link lightferry.ferry.v1.OpenLinkKeyResponse.verify|verify} messages.
                 * @param message OpenLinkKeyResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.OpenLinkKeyResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an OpenLinkKeyResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.OpenLinkKeyResponse & lightferry.ferry.v1.OpenLinkKeyResponse.$Shape} OpenLinkKeyResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.OpenLinkKeyResponse & lightferry.ferry.v1.OpenLinkKeyResponse.$Shape;
            }

            namespace OpenLinkKeyResponse {

                /** Properties of an OpenLinkKeyResponse. */
                interface $Properties {

                    /** OpenLinkKeyResponse secret */
                    secret?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an OpenLinkKeyResponse. */
                type $Shape = lightferry.ferry.v1.OpenLinkKeyResponse.$Properties;
            }

            /**
             * Properties of an ObjectManifest.
             * @deprecated Use lightferry.ferry.v1.ObjectManifest.$Properties instead.
             */
            interface IObjectManifest extends lightferry.ferry.v1.ObjectManifest.$Properties {
            }

            /** Represents an ObjectManifest. */
            class ObjectManifest {

                /**
                 * Constructs a new ObjectManifest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.ObjectManifest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ObjectManifest version. */
                version: number;

                /** ObjectManifest sender. */
                sender: string;

                /** ObjectManifest lane. */
                lane: string;

                /** ObjectManifest epoch. */
                epoch: number;

                /** ObjectManifest objectId. */
                objectId: number;

                /** ObjectManifest bundleId. */
                bundleId: Uint8Array;

                /** ObjectManifest headerDigest. */
                headerDigest: Uint8Array;

                /** ObjectManifest size. */
                size: number;

                /** ObjectManifest shardSize. */
                shardSize: number;

                /** ObjectManifest groupShards. */
                groupShards: number;

                /** ObjectManifest parityShards. */
                parityShards: number;

                /** ObjectManifest headSize. */
                headSize: number;

                /** ObjectManifest headDigest. */
                headDigest: Uint8Array;

                /** ObjectManifest chunkBytes. */
                chunkBytes: number;

                /**
                 * Encodes the specified ObjectManifest message. Does not implicitly {@link lightferry.ferry.v1.ObjectManifest.verify|verify} messages.
                 * @param message ObjectManifest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.ObjectManifest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ObjectManifest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.ObjectManifest & lightferry.ferry.v1.ObjectManifest.$Shape} ObjectManifest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.ObjectManifest & lightferry.ferry.v1.ObjectManifest.$Shape;
            }

            namespace ObjectManifest {

                /** Properties of an ObjectManifest. */
                interface $Properties {

                    /** ObjectManifest version */
                    version?: (number|null);

                    /** ObjectManifest sender */
                    sender?: (string|null);

                    /** ObjectManifest lane */
                    lane?: (string|null);

                    /** ObjectManifest epoch */
                    epoch?: (number|null);

                    /** ObjectManifest objectId */
                    objectId?: (number|null);

                    /** ObjectManifest bundleId */
                    bundleId?: (Uint8Array|null);

                    /** ObjectManifest headerDigest */
                    headerDigest?: (Uint8Array|null);

                    /** ObjectManifest size */
                    size?: (number|null);

                    /** ObjectManifest shardSize */
                    shardSize?: (number|null);

                    /** ObjectManifest groupShards */
                    groupShards?: (number|null);

                    /** ObjectManifest parityShards */
                    parityShards?: (number|null);

                    /** ObjectManifest headSize */
                    headSize?: (number|null);

                    /** ObjectManifest headDigest */
                    headDigest?: (Uint8Array|null);

                    /** ObjectManifest chunkBytes */
                    chunkBytes?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ObjectManifest. */
                type $Shape = lightferry.ferry.v1.ObjectManifest.$Properties;
            }

            /**
             * Properties of a SignedMessage.
             * @deprecated Use lightferry.ferry.v1.SignedMessage.$Properties instead.
             */
            interface ISignedMessage extends lightferry.ferry.v1.SignedMessage.$Properties {
            }

            /** Represents a SignedMessage. */
            class SignedMessage {

                /**
                 * Constructs a new SignedMessage.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.SignedMessage.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** SignedMessage payload. */
                payload: Uint8Array;

                /** SignedMessage keyId. */
                keyId: string;

                /** SignedMessage signature. */
                signature: Uint8Array;

                /** SignedMessage certificates. */
                certificates: Uint8Array[];

                /**
                 * Encodes the specified SignedMessage message. Does not implicitly {@link lightferry.ferry.v1.SignedMessage.verify|verify} messages.
                 * @param message SignedMessage message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.SignedMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a SignedMessage message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.SignedMessage & lightferry.ferry.v1.SignedMessage.$Shape} SignedMessage
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.SignedMessage & lightferry.ferry.v1.SignedMessage.$Shape;
            }

            namespace SignedMessage {

                /** Properties of a SignedMessage. */
                interface $Properties {

                    /** SignedMessage payload */
                    payload?: (Uint8Array|null);

                    /** SignedMessage keyId */
                    keyId?: (string|null);

                    /** SignedMessage signature */
                    signature?: (Uint8Array|null);

                    /** SignedMessage certificates */
                    certificates?: (Uint8Array[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a SignedMessage. */
                type $Shape = lightferry.ferry.v1.SignedMessage.$Properties;
            }

            /**
             * Properties of a StreamPosition.
             * @deprecated Use lightferry.ferry.v1.StreamPosition.$Properties instead.
             */
            interface IStreamPosition extends lightferry.ferry.v1.StreamPosition.$Properties {
            }

            /** Represents a StreamPosition. */
            class StreamPosition {

                /**
                 * Constructs a new StreamPosition.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.StreamPosition.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** StreamPosition stream. */
                stream: string;

                /** StreamPosition sequence. */
                sequence: number;

                /** StreamPosition underWay. */
                underWay: number;

                /**
                 * Encodes the specified StreamPosition message. Does not implicitly {@link lightferry.ferry.v1.StreamPosition.verify|verify} messages.
                 * @param message StreamPosition message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.StreamPosition.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a StreamPosition message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.StreamPosition & lightferry.ferry.v1.StreamPosition.$Shape} StreamPosition
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.StreamPosition & lightferry.ferry.v1.StreamPosition.$Shape;
            }

            namespace StreamPosition {

                /** Properties of a StreamPosition. */
                interface $Properties {

                    /** StreamPosition stream */
                    stream?: (string|null);

                    /** StreamPosition sequence */
                    sequence?: (number|null);

                    /** StreamPosition underWay */
                    underWay?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a StreamPosition. */
                type $Shape = lightferry.ferry.v1.StreamPosition.$Properties;
            }

            /**
             * Properties of a Heartbeat.
             * @deprecated Use lightferry.ferry.v1.Heartbeat.$Properties instead.
             */
            interface IHeartbeat extends lightferry.ferry.v1.Heartbeat.$Properties {
            }

            /** Represents a Heartbeat. */
            class Heartbeat {

                /**
                 * Constructs a new Heartbeat.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.Heartbeat.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Heartbeat version. */
                version: number;

                /** Heartbeat sender. */
                sender: string;

                /** Heartbeat epoch. */
                epoch: number;

                /** Heartbeat nextFrame. */
                nextFrame: number;

                /** Heartbeat timeMs. */
                timeMs: number;

                /** Heartbeat streams. */
                streams: lightferry.ferry.v1.StreamPosition.$Properties[];

                /** Heartbeat number. */
                number: number;

                /** Heartbeat settings. */
                settings?: (lightferry.ferry.v1.LinkSettings.$Properties|null);

                /** Heartbeat link. */
                link: number;

                /** Heartbeat linkKey. */
                linkKey?: (lightferry.ferry.v1.WrappedLinkKey.$Properties|null);

                /**
                 * Encodes the specified Heartbeat message. Does not implicitly {@link lightferry.ferry.v1.Heartbeat.verify|verify} messages.
                 * @param message Heartbeat message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.Heartbeat.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Heartbeat message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.Heartbeat & lightferry.ferry.v1.Heartbeat.$Shape} Heartbeat
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.Heartbeat & lightferry.ferry.v1.Heartbeat.$Shape;
            }

            namespace Heartbeat {

                /** Properties of a Heartbeat. */
                interface $Properties {

                    /** Heartbeat version */
                    version?: (number|null);

                    /** Heartbeat sender */
                    sender?: (string|null);

                    /** Heartbeat epoch */
                    epoch?: (number|null);

                    /** Heartbeat nextFrame */
                    nextFrame?: (number|null);

                    /** Heartbeat timeMs */
                    timeMs?: (number|null);

                    /** Heartbeat streams */
                    streams?: (lightferry.ferry.v1.StreamPosition.$Properties[]|null);

                    /** Heartbeat number */
                    number?: (number|null);

                    /** Heartbeat settings */
                    settings?: (lightferry.ferry.v1.LinkSettings.$Properties|null);

                    /** Heartbeat link */
                    link?: (number|null);

                    /** Heartbeat linkKey */
                    linkKey?: (lightferry.ferry.v1.WrappedLinkKey.$Properties|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Heartbeat. */
                type $Shape = lightferry.ferry.v1.Heartbeat.$Properties;
            }

            /**
             * Properties of a WrappedLinkKey.
             * @deprecated Use lightferry.ferry.v1.WrappedLinkKey.$Properties instead.
             */
            interface IWrappedLinkKey extends lightferry.ferry.v1.WrappedLinkKey.$Properties {
            }

            /** Represents a WrappedLinkKey. */
            class WrappedLinkKey {

                /**
                 * Constructs a new WrappedLinkKey.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.WrappedLinkKey.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** WrappedLinkKey keyId. */
                keyId: string;

                /** WrappedLinkKey wrapped. */
                wrapped: Uint8Array;

                /**
                 * Encodes the specified WrappedLinkKey message. Does not implicitly {@link lightferry.ferry.v1.WrappedLinkKey.verify|verify} messages.
                 * @param message WrappedLinkKey message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.WrappedLinkKey.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a WrappedLinkKey message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.WrappedLinkKey & lightferry.ferry.v1.WrappedLinkKey.$Shape} WrappedLinkKey
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.WrappedLinkKey & lightferry.ferry.v1.WrappedLinkKey.$Shape;
            }

            namespace WrappedLinkKey {

                /** Properties of a WrappedLinkKey. */
                interface $Properties {

                    /** WrappedLinkKey keyId */
                    keyId?: (string|null);

                    /** WrappedLinkKey wrapped */
                    wrapped?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a WrappedLinkKey. */
                type $Shape = lightferry.ferry.v1.WrappedLinkKey.$Properties;
            }

            /**
             * Properties of a LaneNumber.
             * @deprecated Use lightferry.ferry.v1.LaneNumber.$Properties instead.
             */
            interface ILaneNumber extends lightferry.ferry.v1.LaneNumber.$Properties {
            }

            /** Represents a LaneNumber. */
            class LaneNumber {

                /**
                 * Constructs a new LaneNumber.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.LaneNumber.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LaneNumber number. */
                number: number;

                /** LaneNumber lane. */
                lane: string;

                /**
                 * Encodes the specified LaneNumber message. Does not implicitly {@link lightferry.ferry.v1.LaneNumber.verify|verify} messages.
                 * @param message LaneNumber message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.LaneNumber.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LaneNumber message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.LaneNumber & lightferry.ferry.v1.LaneNumber.$Shape} LaneNumber
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.LaneNumber & lightferry.ferry.v1.LaneNumber.$Shape;
            }

            namespace LaneNumber {

                /** Properties of a LaneNumber. */
                interface $Properties {

                    /** LaneNumber number */
                    number?: (number|null);

                    /** LaneNumber lane */
                    lane?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LaneNumber. */
                type $Shape = lightferry.ferry.v1.LaneNumber.$Properties;
            }

            /**
             * Properties of a LinkSettings.
             * @deprecated Use lightferry.ferry.v1.LinkSettings.$Properties instead.
             */
            interface ILinkSettings extends lightferry.ferry.v1.LinkSettings.$Properties {
            }

            /** Represents a LinkSettings. */
            class LinkSettings {

                /**
                 * Constructs a new LinkSettings.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.LinkSettings.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LinkSettings lanes. */
                lanes: lightferry.ferry.v1.LaneNumber.$Properties[];

                /** LinkSettings frameSize. */
                frameSize: number;

                /** LinkSettings groupShards. */
                groupShards: number;

                /** LinkSettings parityShards. */
                parityShards: number;

                /**
                 * Encodes the specified LinkSettings message. Does not implicitly {@link lightferry.ferry.v1.LinkSettings.verify|verify} messages.
                 * @param message LinkSettings message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.LinkSettings.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LinkSettings message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.LinkSettings & lightferry.ferry.v1.LinkSettings.$Shape} LinkSettings
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.LinkSettings & lightferry.ferry.v1.LinkSettings.$Shape;
            }

            namespace LinkSettings {

                /** Properties of a LinkSettings. */
                interface $Properties {

                    /** LinkSettings lanes */
                    lanes?: (lightferry.ferry.v1.LaneNumber.$Properties[]|null);

                    /** LinkSettings frameSize */
                    frameSize?: (number|null);

                    /** LinkSettings groupShards */
                    groupShards?: (number|null);

                    /** LinkSettings parityShards */
                    parityShards?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LinkSettings. */
                type $Shape = lightferry.ferry.v1.LinkSettings.$Properties;
            }

            /**
             * Properties of an Inventory.
             * @deprecated Use lightferry.ferry.v1.Inventory.$Properties instead.
             */
            interface IInventory extends lightferry.ferry.v1.Inventory.$Properties {
            }

            /** Represents an Inventory. */
            class Inventory {

                /**
                 * Constructs a new Inventory.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.Inventory.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Inventory version. */
                version: number;

                /** Inventory sender. */
                sender: string;

                /** Inventory lane. */
                lane: string;

                /** Inventory epoch. */
                epoch: number;

                /** Inventory number. */
                number: number;

                /** Inventory page. */
                page: number;

                /** Inventory last. */
                last: boolean;

                /** Inventory full. */
                full: boolean;

                /** Inventory timeMs. */
                timeMs: number;

                /** Inventory sinceMs. */
                sinceMs: number;

                /** Inventory held. */
                held: lightferry.ferry.v1.StreamRanges.$Properties[];

                /** Inventory givenUp. */
                givenUp: lightferry.ferry.v1.StreamRanges.$Properties[];

                /** Inventory passDelayMs. */
                passDelayMs: number;

                /**
                 * Encodes the specified Inventory message. Does not implicitly {@link lightferry.ferry.v1.Inventory.verify|verify} messages.
                 * @param message Inventory message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.Inventory.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Inventory message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.Inventory & lightferry.ferry.v1.Inventory.$Shape} Inventory
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.Inventory & lightferry.ferry.v1.Inventory.$Shape;
            }

            namespace Inventory {

                /** Properties of an Inventory. */
                interface $Properties {

                    /** Inventory version */
                    version?: (number|null);

                    /** Inventory sender */
                    sender?: (string|null);

                    /** Inventory lane */
                    lane?: (string|null);

                    /** Inventory epoch */
                    epoch?: (number|null);

                    /** Inventory number */
                    number?: (number|null);

                    /** Inventory page */
                    page?: (number|null);

                    /** Inventory last */
                    last?: (boolean|null);

                    /** Inventory full */
                    full?: (boolean|null);

                    /** Inventory timeMs */
                    timeMs?: (number|null);

                    /** Inventory sinceMs */
                    sinceMs?: (number|null);

                    /** Inventory held */
                    held?: (lightferry.ferry.v1.StreamRanges.$Properties[]|null);

                    /** Inventory givenUp */
                    givenUp?: (lightferry.ferry.v1.StreamRanges.$Properties[]|null);

                    /** Inventory passDelayMs */
                    passDelayMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Inventory. */
                type $Shape = lightferry.ferry.v1.Inventory.$Properties;
            }

            /**
             * Properties of a MissingGroups.
             * @deprecated Use lightferry.ferry.v1.MissingGroups.$Properties instead.
             */
            interface IMissingGroups extends lightferry.ferry.v1.MissingGroups.$Properties {
            }

            /** Represents a MissingGroups. */
            class MissingGroups {

                /**
                 * Constructs a new MissingGroups.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.MissingGroups.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** MissingGroups bundleId. */
                bundleId: Uint8Array;

                /** MissingGroups objectId. */
                objectId: number;

                /** MissingGroups groups. */
                groups: lightferry.ferry.v1.SequenceRange.$Properties[];

                /** MissingGroups shardSize. */
                shardSize: number;

                /** MissingGroups groupShards. */
                groupShards: number;

                /** MissingGroups parityShards. */
                parityShards: number;

                /**
                 * Encodes the specified MissingGroups message. Does not implicitly {@link lightferry.ferry.v1.MissingGroups.verify|verify} messages.
                 * @param message MissingGroups message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.MissingGroups.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a MissingGroups message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.MissingGroups & lightferry.ferry.v1.MissingGroups.$Shape} MissingGroups
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.MissingGroups & lightferry.ferry.v1.MissingGroups.$Shape;
            }

            namespace MissingGroups {

                /** Properties of a MissingGroups. */
                interface $Properties {

                    /** MissingGroups bundleId */
                    bundleId?: (Uint8Array|null);

                    /** MissingGroups objectId */
                    objectId?: (number|null);

                    /** MissingGroups groups */
                    groups?: (lightferry.ferry.v1.SequenceRange.$Properties[]|null);

                    /** MissingGroups shardSize */
                    shardSize?: (number|null);

                    /** MissingGroups groupShards */
                    groupShards?: (number|null);

                    /** MissingGroups parityShards */
                    parityShards?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a MissingGroups. */
                type $Shape = lightferry.ferry.v1.MissingGroups.$Properties;
            }

            /**
             * Properties of a RepairTicket.
             * @deprecated Use lightferry.ferry.v1.RepairTicket.$Properties instead.
             */
            interface IRepairTicket extends lightferry.ferry.v1.RepairTicket.$Properties {
            }

            /** Represents a RepairTicket. */
            class RepairTicket {

                /**
                 * Constructs a new RepairTicket.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.RepairTicket.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RepairTicket version. */
                version: number;

                /** RepairTicket ticketId. */
                ticketId: Uint8Array;

                /** RepairTicket lane. */
                lane: string;

                /** RepairTicket sender. */
                sender: string;

                /** RepairTicket receiver. */
                receiver: string;

                /** RepairTicket createdMs. */
                createdMs: number;

                /** RepairTicket expiresMs. */
                expiresMs: number;

                /** RepairTicket streams. */
                streams: lightferry.ferry.v1.StreamRanges.$Properties[];

                /** RepairTicket objects. */
                objects: lightferry.ferry.v1.MissingGroups.$Properties[];

                /**
                 * Encodes the specified RepairTicket message. Does not implicitly {@link lightferry.ferry.v1.RepairTicket.verify|verify} messages.
                 * @param message RepairTicket message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.RepairTicket.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RepairTicket message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.RepairTicket & lightferry.ferry.v1.RepairTicket.$Shape} RepairTicket
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.RepairTicket & lightferry.ferry.v1.RepairTicket.$Shape;
            }

            namespace RepairTicket {

                /** Properties of a RepairTicket. */
                interface $Properties {

                    /** RepairTicket version */
                    version?: (number|null);

                    /** RepairTicket ticketId */
                    ticketId?: (Uint8Array|null);

                    /** RepairTicket lane */
                    lane?: (string|null);

                    /** RepairTicket sender */
                    sender?: (string|null);

                    /** RepairTicket receiver */
                    receiver?: (string|null);

                    /** RepairTicket createdMs */
                    createdMs?: (number|null);

                    /** RepairTicket expiresMs */
                    expiresMs?: (number|null);

                    /** RepairTicket streams */
                    streams?: (lightferry.ferry.v1.StreamRanges.$Properties[]|null);

                    /** RepairTicket objects */
                    objects?: (lightferry.ferry.v1.MissingGroups.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RepairTicket. */
                type $Shape = lightferry.ferry.v1.RepairTicket.$Properties;
            }

            /**
             * Properties of a MediaBundle.
             * @deprecated Use lightferry.ferry.v1.MediaBundle.$Properties instead.
             */
            interface IMediaBundle extends lightferry.ferry.v1.MediaBundle.$Properties {
            }

            /** Represents a MediaBundle. */
            class MediaBundle {

                /**
                 * Constructs a new MediaBundle.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.MediaBundle.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** MediaBundle bundleId. */
                bundleId: Uint8Array;

                /** MediaBundle headerDigest. */
                headerDigest: Uint8Array;

                /** MediaBundle size. */
                size: number;

                /** MediaBundle digest. */
                digest: Uint8Array;

                /** MediaBundle stream. */
                stream: string;

                /** MediaBundle sequence. */
                sequence: number;

                /**
                 * Encodes the specified MediaBundle message. Does not implicitly {@link lightferry.ferry.v1.MediaBundle.verify|verify} messages.
                 * @param message MediaBundle message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.MediaBundle.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a MediaBundle message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.MediaBundle & lightferry.ferry.v1.MediaBundle.$Shape} MediaBundle
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.MediaBundle & lightferry.ferry.v1.MediaBundle.$Shape;
            }

            namespace MediaBundle {

                /** Properties of a MediaBundle. */
                interface $Properties {

                    /** MediaBundle bundleId */
                    bundleId?: (Uint8Array|null);

                    /** MediaBundle headerDigest */
                    headerDigest?: (Uint8Array|null);

                    /** MediaBundle size */
                    size?: (number|null);

                    /** MediaBundle digest */
                    digest?: (Uint8Array|null);

                    /** MediaBundle stream */
                    stream?: (string|null);

                    /** MediaBundle sequence */
                    sequence?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a MediaBundle. */
                type $Shape = lightferry.ferry.v1.MediaBundle.$Properties;
            }

            /**
             * Properties of a MediaManifest.
             * @deprecated Use lightferry.ferry.v1.MediaManifest.$Properties instead.
             */
            interface IMediaManifest extends lightferry.ferry.v1.MediaManifest.$Properties {
            }

            /** Represents a MediaManifest. */
            class MediaManifest {

                /**
                 * Constructs a new MediaManifest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.ferry.v1.MediaManifest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** MediaManifest version. */
                version: number;

                /** MediaManifest mediumId. */
                mediumId: Uint8Array;

                /** MediaManifest number. */
                number: number;

                /** MediaManifest previous. */
                previous: number;

                /** MediaManifest lane. */
                lane: string;

                /** MediaManifest sender. */
                sender: string;

                /** MediaManifest receiver. */
                receiver: string;

                /** MediaManifest receiverZone. */
                receiverZone: string;

                /** MediaManifest createdMs. */
                createdMs: number;

                /** MediaManifest custodians. */
                custodians: string[];

                /** MediaManifest count. */
                count: number;

                /** MediaManifest bundles. */
                bundles: lightferry.ferry.v1.MediaBundle.$Properties[];

                /**
                 * Encodes the specified MediaManifest message. Does not implicitly {@link lightferry.ferry.v1.MediaManifest.verify|verify} messages.
                 * @param message MediaManifest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.ferry.v1.MediaManifest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a MediaManifest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.ferry.v1.MediaManifest & lightferry.ferry.v1.MediaManifest.$Shape} MediaManifest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.ferry.v1.MediaManifest & lightferry.ferry.v1.MediaManifest.$Shape;
            }

            namespace MediaManifest {

                /** Properties of a MediaManifest. */
                interface $Properties {

                    /** MediaManifest version */
                    version?: (number|null);

                    /** MediaManifest mediumId */
                    mediumId?: (Uint8Array|null);

                    /** MediaManifest number */
                    number?: (number|null);

                    /** MediaManifest previous */
                    previous?: (number|null);

                    /** MediaManifest lane */
                    lane?: (string|null);

                    /** MediaManifest sender */
                    sender?: (string|null);

                    /** MediaManifest receiver */
                    receiver?: (string|null);

                    /** MediaManifest receiverZone */
                    receiverZone?: (string|null);

                    /** MediaManifest createdMs */
                    createdMs?: (number|null);

                    /** MediaManifest custodians */
                    custodians?: (string[]|null);

                    /** MediaManifest count */
                    count?: (number|null);

                    /** MediaManifest bundles */
                    bundles?: (lightferry.ferry.v1.MediaBundle.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a MediaManifest. */
                type $Shape = lightferry.ferry.v1.MediaManifest.$Properties;
            }
        }
    }

    /** Namespace policy. */
    namespace policy {

        /** Namespace v1. */
        namespace v1 {

            /** Direction enum. */
            enum Direction {

                /** DIRECTION_UNSPECIFIED value */
                DIRECTION_UNSPECIFIED = 0,

                /** DIRECTION_EXPORT value */
                DIRECTION_EXPORT = 1,

                /** DIRECTION_IMPORT value */
                DIRECTION_IMPORT = 2
            }

            /** Decision enum. */
            enum Decision {

                /** DECISION_UNSPECIFIED value */
                DECISION_UNSPECIFIED = 0,

                /** DECISION_PERMIT value */
                DECISION_PERMIT = 1,

                /** DECISION_HOLD value */
                DECISION_HOLD = 2,

                /** DECISION_DENY value */
                DECISION_DENY = 3
            }

            /**
             * Properties of a Verdict.
             * @deprecated Use lightferry.policy.v1.Verdict.$Properties instead.
             */
            interface IVerdict extends lightferry.policy.v1.Verdict.$Properties {
            }

            /** Represents a Verdict. */
            class Verdict {

                /**
                 * Constructs a new Verdict.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.Verdict.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Verdict verdictId. */
                verdictId: Uint8Array;

                /** Verdict direction. */
                direction: lightferry.policy.v1.Direction;

                /** Verdict decision. */
                decision: lightferry.policy.v1.Decision;

                /** Verdict commitment. */
                commitment: Uint8Array;

                /** Verdict lane. */
                lane: string;

                /** Verdict sender. */
                sender: string;

                /** Verdict recipients. */
                recipients: string[];

                /** Verdict grade. */
                grade: string;

                /** Verdict decidedMs. */
                decidedMs: number;

                /** Verdict expiresMs. */
                expiresMs: number;

                /** Verdict policyVersion. */
                policyVersion: string;

                /** Verdict ruleIds. */
                ruleIds: string[];

                /** Verdict obligations. */
                obligations: string[];

                /**
                 * Encodes the specified Verdict message. Does not implicitly {@link lightferry.policy.v1.Verdict.verify|verify} messages.
                 * @param message Verdict message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.Verdict.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Verdict message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.Verdict & lightferry.policy.v1.Verdict.$Shape} Verdict
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.Verdict & lightferry.policy.v1.Verdict.$Shape;
            }

            namespace Verdict {

                /** Properties of a Verdict. */
                interface $Properties {

                    /** Verdict verdictId */
                    verdictId?: (Uint8Array|null);

                    /** Verdict direction */
                    direction?: (lightferry.policy.v1.Direction|null);

                    /** Verdict decision */
                    decision?: (lightferry.policy.v1.Decision|null);

                    /** Verdict commitment */
                    commitment?: (Uint8Array|null);

                    /** Verdict lane */
                    lane?: (string|null);

                    /** Verdict sender */
                    sender?: (string|null);

                    /** Verdict recipients */
                    recipients?: (string[]|null);

                    /** Verdict grade */
                    grade?: (string|null);

                    /** Verdict decidedMs */
                    decidedMs?: (number|null);

                    /** Verdict expiresMs */
                    expiresMs?: (number|null);

                    /** Verdict policyVersion */
                    policyVersion?: (string|null);

                    /** Verdict ruleIds */
                    ruleIds?: (string[]|null);

                    /** Verdict obligations */
                    obligations?: (string[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Verdict. */
                type $Shape = lightferry.policy.v1.Verdict.$Properties;
            }

            /**
             * Properties of a Submission.
             * @deprecated Use lightferry.policy.v1.Submission.$Properties instead.
             */
            interface ISubmission extends lightferry.policy.v1.Submission.$Properties {
            }

            /** Represents a Submission. */
            class Submission {

                /**
                 * Constructs a new Submission.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.Submission.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Submission exchangeId. */
                exchangeId: Uint8Array;

                /** Submission kind. */
                kind: string;

                /** Submission lane. */
                lane: string;

                /** Submission service. */
                service: string;

                /** Submission caller. */
                caller: string;

                /** Submission declaredGrade. */
                declaredGrade: string;

                /** Submission purpose. */
                purpose: string;

                /** Submission http. */
                http?: (lightferry.bundle.v1.HttpRequest.$Properties|null);

                /** Submission file. */
                file?: (lightferry.bundle.v1.FileInfo.$Properties|null);

                /** Submission submittedMs. */
                submittedMs: number;

                /** Submission orderingKey. */
                orderingKey: string;

                /** Submission clientAddress. */
                clientAddress: string;

                /** Submission size. */
                size: number;

                /**
                 * Encodes the specified Submission message. Does not implicitly {@link lightferry.policy.v1.Submission.verify|verify} messages.
                 * @param message Submission message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.Submission.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Submission message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.Submission & lightferry.policy.v1.Submission.$Shape} Submission
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.Submission & lightferry.policy.v1.Submission.$Shape;
            }

            namespace Submission {

                /** Properties of a Submission. */
                interface $Properties {

                    /** Submission exchangeId */
                    exchangeId?: (Uint8Array|null);

                    /** Submission kind */
                    kind?: (string|null);

                    /** Submission lane */
                    lane?: (string|null);

                    /** Submission service */
                    service?: (string|null);

                    /** Submission caller */
                    caller?: (string|null);

                    /** Submission declaredGrade */
                    declaredGrade?: (string|null);

                    /** Submission purpose */
                    purpose?: (string|null);

                    /** Submission http */
                    http?: (lightferry.bundle.v1.HttpRequest.$Properties|null);

                    /** Submission file */
                    file?: (lightferry.bundle.v1.FileInfo.$Properties|null);

                    /** Submission submittedMs */
                    submittedMs?: (number|null);

                    /** Submission orderingKey */
                    orderingKey?: (string|null);

                    /** Submission clientAddress */
                    clientAddress?: (string|null);

                    /** Submission size */
                    size?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Submission. */
                type $Shape = lightferry.policy.v1.Submission.$Properties;
            }

            /**
             * Properties of a DecideItem.
             * @deprecated Use lightferry.policy.v1.DecideItem.$Properties instead.
             */
            interface IDecideItem extends lightferry.policy.v1.DecideItem.$Properties {
            }

            /** Represents a DecideItem. */
            class DecideItem {

                /**
                 * Constructs a new DecideItem.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.DecideItem.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** DecideItem direction. */
                direction: lightferry.policy.v1.Direction;

                /** DecideItem submission. */
                submission?: (lightferry.policy.v1.Submission.$Properties|null);

                /** DecideItem content. */
                content: Uint8Array;

                /** DecideItem sender. */
                sender: string;

                /** DecideItem salt. */
                salt: Uint8Array;

                /** DecideItem entry. */
                entry: Uint8Array;

                /** DecideItem exportVerdict. */
                exportVerdict: Uint8Array;

                /** DecideItem lane. */
                lane: string;

                /** DecideItem keepsOriginal. */
                keepsOriginal: boolean;

                /**
                 * Encodes the specified DecideItem message. Does not implicitly {@link lightferry.policy.v1.DecideItem.verify|verify} messages.
                 * @param message DecideItem message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.DecideItem.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a DecideItem message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.DecideItem & lightferry.policy.v1.DecideItem.$Shape} DecideItem
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.DecideItem & lightferry.policy.v1.DecideItem.$Shape;
            }

            namespace DecideItem {

                /** Properties of a DecideItem. */
                interface $Properties {

                    /** DecideItem direction */
                    direction?: (lightferry.policy.v1.Direction|null);

                    /** DecideItem submission */
                    submission?: (lightferry.policy.v1.Submission.$Properties|null);

                    /** DecideItem content */
                    content?: (Uint8Array|null);

                    /** DecideItem sender */
                    sender?: (string|null);

                    /** DecideItem salt */
                    salt?: (Uint8Array|null);

                    /** DecideItem entry */
                    entry?: (Uint8Array|null);

                    /** DecideItem exportVerdict */
                    exportVerdict?: (Uint8Array|null);

                    /** DecideItem lane */
                    lane?: (string|null);

                    /** DecideItem keepsOriginal */
                    keepsOriginal?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a DecideItem. */
                type $Shape = lightferry.policy.v1.DecideItem.$Properties;
            }

            /**
             * Properties of a DecideRequest.
             * @deprecated Use lightferry.policy.v1.DecideRequest.$Properties instead.
             */
            interface IDecideRequest extends lightferry.policy.v1.DecideRequest.$Properties {
            }

            /** Represents a DecideRequest. */
            class DecideRequest {

                /**
                 * Constructs a new DecideRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.DecideRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** DecideRequest items. */
                items: lightferry.policy.v1.DecideItem.$Properties[];

                /**
                 * Encodes the specified DecideRequest message. Does not implicitly {@link lightferry.policy.v1.DecideRequest.verify|verify} messages.
                 * @param message DecideRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.DecideRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a DecideRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.DecideRequest & lightferry.policy.v1.DecideRequest.$Shape} DecideRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.DecideRequest & lightferry.policy.v1.DecideRequest.$Shape;
            }

            namespace DecideRequest {

                /** Properties of a DecideRequest. */
                interface $Properties {

                    /** DecideRequest items */
                    items?: (lightferry.policy.v1.DecideItem.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a DecideRequest. */
                type $Shape = lightferry.policy.v1.DecideRequest.$Properties;
            }

            /**
             * Properties of a Finding.
             * @deprecated Use lightferry.policy.v1.Finding.$Properties instead.
             */
            interface IFinding extends lightferry.policy.v1.Finding.$Properties {
            }

            /** Represents a Finding. */
            class Finding {

                /**
                 * Constructs a new Finding.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.Finding.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Finding inspector. */
                inspector: string;

                /** Finding ruleId. */
                ruleId: string;

                /** Finding count. */
                count: number;

                /** Finding action. */
                action: string;

                /** Finding where. */
                where: string;

                /**
                 * Encodes the specified Finding message. Does not implicitly {@link lightferry.policy.v1.Finding.verify|verify} messages.
                 * @param message Finding message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.Finding.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Finding message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.Finding & lightferry.policy.v1.Finding.$Shape} Finding
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.Finding & lightferry.policy.v1.Finding.$Shape;
            }

            namespace Finding {

                /** Properties of a Finding. */
                interface $Properties {

                    /** Finding inspector */
                    inspector?: (string|null);

                    /** Finding ruleId */
                    ruleId?: (string|null);

                    /** Finding count */
                    count?: (number|null);

                    /** Finding action */
                    action?: (string|null);

                    /** Finding where */
                    where?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Finding. */
                type $Shape = lightferry.policy.v1.Finding.$Properties;
            }

            /**
             * Properties of an Outcome.
             * @deprecated Use lightferry.policy.v1.Outcome.$Properties instead.
             */
            interface IOutcome extends lightferry.policy.v1.Outcome.$Properties {
            }

            /** Represents an Outcome. */
            class Outcome {

                /**
                 * Constructs a new Outcome.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.Outcome.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Outcome decision. */
                decision: lightferry.policy.v1.Decision;

                /** Outcome code. */
                code: string;

                /** Outcome ruleId. */
                ruleId: string;

                /** Outcome reason. */
                reason: string;

                /** Outcome verdict. */
                verdict: Uint8Array;

                /** Outcome leaf. */
                leaf: number;

                /** Outcome path. */
                path: Uint8Array[];

                /** Outcome salt. */
                salt: Uint8Array;

                /** Outcome entry. */
                entry: Uint8Array;

                /** Outcome contentChanged. */
                contentChanged: boolean;

                /** Outcome content. */
                content: Uint8Array;

                /** Outcome findings. */
                findings: lightferry.policy.v1.Finding.$Properties[];

                /** Outcome sealedAway. */
                sealedAway: boolean;

                /**
                 * Encodes the specified Outcome message. Does not implicitly {@link lightferry.policy.v1.Outcome.verify|verify} messages.
                 * @param message Outcome message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.Outcome.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Outcome message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.Outcome & lightferry.policy.v1.Outcome.$Shape} Outcome
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.Outcome & lightferry.policy.v1.Outcome.$Shape;
            }

            namespace Outcome {

                /** Properties of an Outcome. */
                interface $Properties {

                    /** Outcome decision */
                    decision?: (lightferry.policy.v1.Decision|null);

                    /** Outcome code */
                    code?: (string|null);

                    /** Outcome ruleId */
                    ruleId?: (string|null);

                    /** Outcome reason */
                    reason?: (string|null);

                    /** Outcome verdict */
                    verdict?: (Uint8Array|null);

                    /** Outcome leaf */
                    leaf?: (number|null);

                    /** Outcome path */
                    path?: (Uint8Array[]|null);

                    /** Outcome salt */
                    salt?: (Uint8Array|null);

                    /** Outcome entry */
                    entry?: (Uint8Array|null);

                    /** Outcome contentChanged */
                    contentChanged?: (boolean|null);

                    /** Outcome content */
                    content?: (Uint8Array|null);

                    /** Outcome findings */
                    findings?: (lightferry.policy.v1.Finding.$Properties[]|null);

                    /** Outcome sealedAway */
                    sealedAway?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Outcome. */
                type $Shape = lightferry.policy.v1.Outcome.$Properties;
            }

            /**
             * Properties of a DecideResponse.
             * @deprecated Use lightferry.policy.v1.DecideResponse.$Properties instead.
             */
            interface IDecideResponse extends lightferry.policy.v1.DecideResponse.$Properties {
            }

            /** Represents a DecideResponse. */
            class DecideResponse {

                /**
                 * Constructs a new DecideResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.DecideResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** DecideResponse outcomes. */
                outcomes: lightferry.policy.v1.Outcome.$Properties[];

                /** DecideResponse batch. */
                batch?: (lightferry.bundle.v1.VerdictBatch.$Properties|null);

                /** DecideResponse policyVersion. */
                policyVersion: string;

                /**
                 * Encodes the specified DecideResponse message. Does not implicitly {@link lightferry.policy.v1.DecideResponse.verify|verify} messages.
                 * @param message DecideResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.DecideResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a DecideResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.DecideResponse & lightferry.policy.v1.DecideResponse.$Shape} DecideResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.DecideResponse & lightferry.policy.v1.DecideResponse.$Shape;
            }

            namespace DecideResponse {

                /** Properties of a DecideResponse. */
                interface $Properties {

                    /** DecideResponse outcomes */
                    outcomes?: (lightferry.policy.v1.Outcome.$Properties[]|null);

                    /** DecideResponse batch */
                    batch?: (lightferry.bundle.v1.VerdictBatch.$Properties|null);

                    /** DecideResponse policyVersion */
                    policyVersion?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a DecideResponse. */
                type $Shape = lightferry.policy.v1.DecideResponse.$Properties;
            }

            /**
             * Properties of a DecideStreamRequest.
             * @deprecated Use lightferry.policy.v1.DecideStreamRequest.$Properties instead.
             */
            interface IDecideStreamRequest extends lightferry.policy.v1.DecideStreamRequest.$Properties {
            }

            /** Represents a DecideStreamRequest. */
            class DecideStreamRequest {

                /**
                 * Constructs a new DecideStreamRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.DecideStreamRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** DecideStreamRequest item. */
                item?: (lightferry.policy.v1.DecideItem.$Properties|null);

                /** DecideStreamRequest chunk. */
                chunk?: (Uint8Array|null);

                /** DecideStreamRequest part. */
                part?: ("item"|"chunk");

                /**
                 * Encodes the specified DecideStreamRequest message. Does not implicitly {@link lightferry.policy.v1.DecideStreamRequest.verify|verify} messages.
                 * @param message DecideStreamRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.DecideStreamRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a DecideStreamRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.DecideStreamRequest & lightferry.policy.v1.DecideStreamRequest.$Shape} DecideStreamRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.DecideStreamRequest & lightferry.policy.v1.DecideStreamRequest.$Shape;
            }

            namespace DecideStreamRequest {

                /** Properties of a DecideStreamRequest. */
                interface $Properties {

                    /** DecideStreamRequest item */
                    item?: (lightferry.policy.v1.DecideItem.$Properties|null);

                    /** DecideStreamRequest chunk */
                    chunk?: (Uint8Array|null);

                    /** DecideStreamRequest part */
                    part?: ("item"|"chunk");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a DecideStreamRequest. */
                type $Shape = {
                  item?: lightferry.policy.v1.DecideItem.$Shape|null;
                  chunk?: Uint8Array|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ part?: undefined; item?: null; chunk?: null }|{ part?: "item"; item: lightferry.policy.v1.DecideItem.$Shape; chunk?: null }|{ part?: "chunk"; item?: null; chunk: Uint8Array })
                );
            }

            /**
             * Properties of a DecideStreamResponse.
             * @deprecated Use lightferry.policy.v1.DecideStreamResponse.$Properties instead.
             */
            interface IDecideStreamResponse extends lightferry.policy.v1.DecideStreamResponse.$Properties {
            }

            /** Represents a DecideStreamResponse. */
            class DecideStreamResponse {

                /**
                 * Constructs a new DecideStreamResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.DecideStreamResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** DecideStreamResponse chunk. */
                chunk?: (Uint8Array|null);

                /** DecideStreamResponse result. */
                result?: (lightferry.policy.v1.DecideResponse.$Properties|null);

                /** DecideStreamResponse unaltered. */
                unaltered?: (boolean|null);

                /** DecideStreamResponse part. */
                part?: ("chunk"|"result"|"unaltered");

                /**
                 * Encodes the specified DecideStreamResponse message. Does not implicitly {@link lightferry.policy.v1.DecideStreamResponse.verify|verify} messages.
                 * @param message DecideStreamResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.DecideStreamResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a DecideStreamResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.DecideStreamResponse & lightferry.policy.v1.DecideStreamResponse.$Shape} DecideStreamResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.DecideStreamResponse & lightferry.policy.v1.DecideStreamResponse.$Shape;
            }

            namespace DecideStreamResponse {

                /** Properties of a DecideStreamResponse. */
                interface $Properties {

                    /** DecideStreamResponse chunk */
                    chunk?: (Uint8Array|null);

                    /** DecideStreamResponse result */
                    result?: (lightferry.policy.v1.DecideResponse.$Properties|null);

                    /** DecideStreamResponse unaltered */
                    unaltered?: (boolean|null);

                    /** DecideStreamResponse part */
                    part?: ("chunk"|"result"|"unaltered");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a DecideStreamResponse. */
                type $Shape = {
                  chunk?: Uint8Array|null;
                  result?: lightferry.policy.v1.DecideResponse.$Shape|null;
                  unaltered?: boolean|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ part?: undefined; chunk?: null; result?: null; unaltered?: null }|{ part?: "chunk"; chunk: Uint8Array; result?: null; unaltered?: null }|{ part?: "result"; chunk?: null; result: lightferry.policy.v1.DecideResponse.$Shape; unaltered?: null }|{ part?: "unaltered"; chunk?: null; result?: null; unaltered: boolean })
                );
            }

            /**
             * Properties of a GetRegistryRequest.
             * @deprecated Use lightferry.policy.v1.GetRegistryRequest.$Properties instead.
             */
            interface IGetRegistryRequest extends lightferry.policy.v1.GetRegistryRequest.$Properties {
            }

            /** Represents a GetRegistryRequest. */
            class GetRegistryRequest {

                /**
                 * Constructs a new GetRegistryRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.GetRegistryRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified GetRegistryRequest message. Does not implicitly {@link lightferry.policy.v1.GetRegistryRequest.verify|verify} messages.
                 * @param message GetRegistryRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.GetRegistryRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetRegistryRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.GetRegistryRequest & lightferry.policy.v1.GetRegistryRequest.$Shape} GetRegistryRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.GetRegistryRequest & lightferry.policy.v1.GetRegistryRequest.$Shape;
            }

            namespace GetRegistryRequest {

                /** Properties of a GetRegistryRequest. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetRegistryRequest. */
                type $Shape = lightferry.policy.v1.GetRegistryRequest.$Properties;
            }

            /**
             * Properties of a GetRegistryResponse.
             * @deprecated Use lightferry.policy.v1.GetRegistryResponse.$Properties instead.
             */
            interface IGetRegistryResponse extends lightferry.policy.v1.GetRegistryResponse.$Properties {
            }

            /** Represents a GetRegistryResponse. */
            class GetRegistryResponse {

                /**
                 * Constructs a new GetRegistryResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.GetRegistryResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetRegistryResponse document. */
                document: Uint8Array;

                /** GetRegistryResponse signature. */
                signature: Uint8Array;

                /** GetRegistryResponse policyVersion. */
                policyVersion: string;

                /**
                 * Encodes the specified GetRegistryResponse message. Does not implicitly {@link lightferry.policy.v1.GetRegistryResponse.verify|verify} messages.
                 * @param message GetRegistryResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.GetRegistryResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetRegistryResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.GetRegistryResponse & lightferry.policy.v1.GetRegistryResponse.$Shape} GetRegistryResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.GetRegistryResponse & lightferry.policy.v1.GetRegistryResponse.$Shape;
            }

            namespace GetRegistryResponse {

                /** Properties of a GetRegistryResponse. */
                interface $Properties {

                    /** GetRegistryResponse document */
                    document?: (Uint8Array|null);

                    /** GetRegistryResponse signature */
                    signature?: (Uint8Array|null);

                    /** GetRegistryResponse policyVersion */
                    policyVersion?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetRegistryResponse. */
                type $Shape = lightferry.policy.v1.GetRegistryResponse.$Properties;
            }

            /**
             * Properties of a TrustSet.
             * @deprecated Use lightferry.policy.v1.TrustSet.$Properties instead.
             */
            interface ITrustSet extends lightferry.policy.v1.TrustSet.$Properties {
            }

            /** Represents a TrustSet. */
            class TrustSet {

                /**
                 * Constructs a new TrustSet.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.TrustSet.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** TrustSet version. */
                version: number;

                /** TrustSet certificates. */
                certificates: Uint8Array[];

                /** TrustSet revocationLists. */
                revocationLists: Uint8Array[];

                /** TrustSet denials. */
                denials: lightferry.policy.v1.Denial.$Properties[];

                /**
                 * Encodes the specified TrustSet message. Does not implicitly {@link lightferry.policy.v1.TrustSet.verify|verify} messages.
                 * @param message TrustSet message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.TrustSet.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a TrustSet message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.TrustSet & lightferry.policy.v1.TrustSet.$Shape} TrustSet
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.TrustSet & lightferry.policy.v1.TrustSet.$Shape;
            }

            namespace TrustSet {

                /** Properties of a TrustSet. */
                interface $Properties {

                    /** TrustSet version */
                    version?: (number|null);

                    /** TrustSet certificates */
                    certificates?: (Uint8Array[]|null);

                    /** TrustSet revocationLists */
                    revocationLists?: (Uint8Array[]|null);

                    /** TrustSet denials */
                    denials?: (lightferry.policy.v1.Denial.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a TrustSet. */
                type $Shape = lightferry.policy.v1.TrustSet.$Properties;
            }

            /**
             * Properties of a Denial.
             * @deprecated Use lightferry.policy.v1.Denial.$Properties instead.
             */
            interface IDenial extends lightferry.policy.v1.Denial.$Properties {
            }

            /** Represents a Denial. */
            class Denial {

                /**
                 * Constructs a new Denial.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.Denial.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Denial keyId. */
                keyId: string;

                /** Denial deniedMs. */
                deniedMs: number;

                /** Denial reason. */
                reason: string;

                /** Denial actor. */
                actor: string;

                /**
                 * Encodes the specified Denial message. Does not implicitly {@link lightferry.policy.v1.Denial.verify|verify} messages.
                 * @param message Denial message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.Denial.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Denial message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.Denial & lightferry.policy.v1.Denial.$Shape} Denial
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.Denial & lightferry.policy.v1.Denial.$Shape;
            }

            namespace Denial {

                /** Properties of a Denial. */
                interface $Properties {

                    /** Denial keyId */
                    keyId?: (string|null);

                    /** Denial deniedMs */
                    deniedMs?: (number|null);

                    /** Denial reason */
                    reason?: (string|null);

                    /** Denial actor */
                    actor?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Denial. */
                type $Shape = lightferry.policy.v1.Denial.$Properties;
            }

            /**
             * Properties of a GetTrustRequest.
             * @deprecated Use lightferry.policy.v1.GetTrustRequest.$Properties instead.
             */
            interface IGetTrustRequest extends lightferry.policy.v1.GetTrustRequest.$Properties {
            }

            /** Represents a GetTrustRequest. */
            class GetTrustRequest {

                /**
                 * Constructs a new GetTrustRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.GetTrustRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetTrustRequest knownVersion. */
                knownVersion: number;

                /** GetTrustRequest waitMs. */
                waitMs: number;

                /**
                 * Encodes the specified GetTrustRequest message. Does not implicitly {@link lightferry.policy.v1.GetTrustRequest.verify|verify} messages.
                 * @param message GetTrustRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.GetTrustRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetTrustRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.GetTrustRequest & lightferry.policy.v1.GetTrustRequest.$Shape} GetTrustRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.GetTrustRequest & lightferry.policy.v1.GetTrustRequest.$Shape;
            }

            namespace GetTrustRequest {

                /** Properties of a GetTrustRequest. */
                interface $Properties {

                    /** GetTrustRequest knownVersion */
                    knownVersion?: (number|null);

                    /** GetTrustRequest waitMs */
                    waitMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetTrustRequest. */
                type $Shape = lightferry.policy.v1.GetTrustRequest.$Properties;
            }

            /**
             * Properties of a GetTrustResponse.
             * @deprecated Use lightferry.policy.v1.GetTrustResponse.$Properties instead.
             */
            interface IGetTrustResponse extends lightferry.policy.v1.GetTrustResponse.$Properties {
            }

            /** Represents a GetTrustResponse. */
            class GetTrustResponse {

                /**
                 * Constructs a new GetTrustResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.GetTrustResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetTrustResponse trust. */
                trust?: (lightferry.policy.v1.TrustSet.$Properties|null);

                /**
                 * Encodes the specified GetTrustResponse message. Does not implicitly {@link lightferry.policy.v1.GetTrustResponse.verify|verify} messages.
                 * @param message GetTrustResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.GetTrustResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetTrustResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.GetTrustResponse & lightferry.policy.v1.GetTrustResponse.$Shape} GetTrustResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.GetTrustResponse & lightferry.policy.v1.GetTrustResponse.$Shape;
            }

            namespace GetTrustResponse {

                /** Properties of a GetTrustResponse. */
                interface $Properties {

                    /** GetTrustResponse trust */
                    trust?: (lightferry.policy.v1.TrustSet.$Properties|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetTrustResponse. */
                type $Shape = lightferry.policy.v1.GetTrustResponse.$Properties;
            }

            /**
             * Properties of an ImportTrustRequest.
             * @deprecated Use lightferry.policy.v1.ImportTrustRequest.$Properties instead.
             */
            interface IImportTrustRequest extends lightferry.policy.v1.ImportTrustRequest.$Properties {
            }

            /** Represents an ImportTrustRequest. */
            class ImportTrustRequest {

                /**
                 * Constructs a new ImportTrustRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.ImportTrustRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ImportTrustRequest items. */
                items: Uint8Array[];

                /** ImportTrustRequest source. */
                source: string;

                /** ImportTrustRequest bundleId. */
                bundleId: Uint8Array;

                /**
                 * Encodes the specified ImportTrustRequest message. Does not implicitly {@link lightferry.policy.v1.ImportTrustRequest.verify|verify} messages.
                 * @param message ImportTrustRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.ImportTrustRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ImportTrustRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.ImportTrustRequest & lightferry.policy.v1.ImportTrustRequest.$Shape} ImportTrustRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.ImportTrustRequest & lightferry.policy.v1.ImportTrustRequest.$Shape;
            }

            namespace ImportTrustRequest {

                /** Properties of an ImportTrustRequest. */
                interface $Properties {

                    /** ImportTrustRequest items */
                    items?: (Uint8Array[]|null);

                    /** ImportTrustRequest source */
                    source?: (string|null);

                    /** ImportTrustRequest bundleId */
                    bundleId?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ImportTrustRequest. */
                type $Shape = lightferry.policy.v1.ImportTrustRequest.$Properties;
            }

            /**
             * Properties of an ImportTrustResponse.
             * @deprecated Use lightferry.policy.v1.ImportTrustResponse.$Properties instead.
             */
            interface IImportTrustResponse extends lightferry.policy.v1.ImportTrustResponse.$Properties {
            }

            /** Represents an ImportTrustResponse. */
            class ImportTrustResponse {

                /**
                 * Constructs a new ImportTrustResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.ImportTrustResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ImportTrustResponse results. */
                results: lightferry.policy.v1.ImportResult.$Properties[];

                /** ImportTrustResponse version. */
                version: number;

                /**
                 * Encodes the specified ImportTrustResponse message. Does not implicitly {@link lightferry.policy.v1.ImportTrustResponse.verify|verify} messages.
                 * @param message ImportTrustResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.ImportTrustResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ImportTrustResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.ImportTrustResponse & lightferry.policy.v1.ImportTrustResponse.$Shape} ImportTrustResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.ImportTrustResponse & lightferry.policy.v1.ImportTrustResponse.$Shape;
            }

            namespace ImportTrustResponse {

                /** Properties of an ImportTrustResponse. */
                interface $Properties {

                    /** ImportTrustResponse results */
                    results?: (lightferry.policy.v1.ImportResult.$Properties[]|null);

                    /** ImportTrustResponse version */
                    version?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ImportTrustResponse. */
                type $Shape = lightferry.policy.v1.ImportTrustResponse.$Properties;
            }

            /**
             * Properties of an ImportResult.
             * @deprecated Use lightferry.policy.v1.ImportResult.$Properties instead.
             */
            interface IImportResult extends lightferry.policy.v1.ImportResult.$Properties {
            }

            /** Represents an ImportResult. */
            class ImportResult {

                /**
                 * Constructs a new ImportResult.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.ImportResult.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ImportResult kind. */
                kind: string;

                /** ImportResult status. */
                status: string;

                /** ImportResult code. */
                code: string;

                /** ImportResult subject. */
                subject: string;

                /** ImportResult number. */
                number: string;

                /**
                 * Encodes the specified ImportResult message. Does not implicitly {@link lightferry.policy.v1.ImportResult.verify|verify} messages.
                 * @param message ImportResult message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.ImportResult.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ImportResult message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.ImportResult & lightferry.policy.v1.ImportResult.$Shape} ImportResult
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.ImportResult & lightferry.policy.v1.ImportResult.$Shape;
            }

            namespace ImportResult {

                /** Properties of an ImportResult. */
                interface $Properties {

                    /** ImportResult kind */
                    kind?: (string|null);

                    /** ImportResult status */
                    status?: (string|null);

                    /** ImportResult code */
                    code?: (string|null);

                    /** ImportResult subject */
                    subject?: (string|null);

                    /** ImportResult number */
                    number?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ImportResult. */
                type $Shape = lightferry.policy.v1.ImportResult.$Properties;
            }

            /**
             * Properties of a DenyKeyRequest.
             * @deprecated Use lightferry.policy.v1.DenyKeyRequest.$Properties instead.
             */
            interface IDenyKeyRequest extends lightferry.policy.v1.DenyKeyRequest.$Properties {
            }

            /** Represents a DenyKeyRequest. */
            class DenyKeyRequest {

                /**
                 * Constructs a new DenyKeyRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.DenyKeyRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** DenyKeyRequest keyId. */
                keyId: string;

                /** DenyKeyRequest reason. */
                reason: string;

                /** DenyKeyRequest lift. */
                lift: boolean;

                /**
                 * Encodes the specified DenyKeyRequest message. Does not implicitly {@link lightferry.policy.v1.DenyKeyRequest.verify|verify} messages.
                 * @param message DenyKeyRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.DenyKeyRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a DenyKeyRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.DenyKeyRequest & lightferry.policy.v1.DenyKeyRequest.$Shape} DenyKeyRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.DenyKeyRequest & lightferry.policy.v1.DenyKeyRequest.$Shape;
            }

            namespace DenyKeyRequest {

                /** Properties of a DenyKeyRequest. */
                interface $Properties {

                    /** DenyKeyRequest keyId */
                    keyId?: (string|null);

                    /** DenyKeyRequest reason */
                    reason?: (string|null);

                    /** DenyKeyRequest lift */
                    lift?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a DenyKeyRequest. */
                type $Shape = lightferry.policy.v1.DenyKeyRequest.$Properties;
            }

            /**
             * Properties of a DenyKeyResponse.
             * @deprecated Use lightferry.policy.v1.DenyKeyResponse.$Properties instead.
             */
            interface IDenyKeyResponse extends lightferry.policy.v1.DenyKeyResponse.$Properties {
            }

            /** Represents a DenyKeyResponse. */
            class DenyKeyResponse {

                /**
                 * Constructs a new DenyKeyResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.policy.v1.DenyKeyResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** DenyKeyResponse version. */
                version: number;

                /**
                 * Encodes the specified DenyKeyResponse message. Does not implicitly {@link lightferry.policy.v1.DenyKeyResponse.verify|verify} messages.
                 * @param message DenyKeyResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.policy.v1.DenyKeyResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a DenyKeyResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.policy.v1.DenyKeyResponse & lightferry.policy.v1.DenyKeyResponse.$Shape} DenyKeyResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.policy.v1.DenyKeyResponse & lightferry.policy.v1.DenyKeyResponse.$Shape;
            }

            namespace DenyKeyResponse {

                /** Properties of a DenyKeyResponse. */
                interface $Properties {

                    /** DenyKeyResponse version */
                    version?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a DenyKeyResponse. */
                type $Shape = lightferry.policy.v1.DenyKeyResponse.$Properties;
            }
        }
    }

    /** Namespace receipt. */
    namespace receipt {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of a ReceiptList.
             * @deprecated Use lightferry.receipt.v1.ReceiptList.$Properties instead.
             */
            interface IReceiptList extends lightferry.receipt.v1.ReceiptList.$Properties {
            }

            /** Represents a ReceiptList. */
            class ReceiptList {

                /**
                 * Constructs a new ReceiptList.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.receipt.v1.ReceiptList.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ReceiptList version. */
                version: number;

                /** ReceiptList lane. */
                lane: string;

                /** ReceiptList sender. */
                sender: string;

                /** ReceiptList receiver. */
                receiver: string;

                /** ReceiptList number. */
                number: number;

                /** ReceiptList createdMs. */
                createdMs: number;

                /** ReceiptList groups. */
                groups: lightferry.receipt.v1.ReceiptGroup.$Properties[];

                /** ReceiptList bundles. */
                bundles: lightferry.receipt.v1.RefusedBundle.$Properties[];

                /**
                 * Encodes the specified ReceiptList message. Does not implicitly {@link lightferry.receipt.v1.ReceiptList.verify|verify} messages.
                 * @param message ReceiptList message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.receipt.v1.ReceiptList.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ReceiptList message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.receipt.v1.ReceiptList & lightferry.receipt.v1.ReceiptList.$Shape} ReceiptList
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.receipt.v1.ReceiptList & lightferry.receipt.v1.ReceiptList.$Shape;
            }

            namespace ReceiptList {

                /** Properties of a ReceiptList. */
                interface $Properties {

                    /** ReceiptList version */
                    version?: (number|null);

                    /** ReceiptList lane */
                    lane?: (string|null);

                    /** ReceiptList sender */
                    sender?: (string|null);

                    /** ReceiptList receiver */
                    receiver?: (string|null);

                    /** ReceiptList number */
                    number?: (number|null);

                    /** ReceiptList createdMs */
                    createdMs?: (number|null);

                    /** ReceiptList groups */
                    groups?: (lightferry.receipt.v1.ReceiptGroup.$Properties[]|null);

                    /** ReceiptList bundles */
                    bundles?: (lightferry.receipt.v1.RefusedBundle.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ReceiptList. */
                type $Shape = lightferry.receipt.v1.ReceiptList.$Properties;
            }

            /**
             * Properties of a RefusedBundle.
             * @deprecated Use lightferry.receipt.v1.RefusedBundle.$Properties instead.
             */
            interface IRefusedBundle extends lightferry.receipt.v1.RefusedBundle.$Properties {
            }

            /** Represents a RefusedBundle. */
            class RefusedBundle {

                /**
                 * Constructs a new RefusedBundle.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.receipt.v1.RefusedBundle.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RefusedBundle bundleId. */
                bundleId: Uint8Array;

                /** RefusedBundle code. */
                code: string;

                /** RefusedBundle timeMs. */
                timeMs: number;

                /**
                 * Encodes the specified RefusedBundle message. Does not implicitly {@link lightferry.receipt.v1.RefusedBundle.verify|verify} messages.
                 * @param message RefusedBundle message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.receipt.v1.RefusedBundle.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RefusedBundle message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.receipt.v1.RefusedBundle & lightferry.receipt.v1.RefusedBundle.$Shape} RefusedBundle
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.receipt.v1.RefusedBundle & lightferry.receipt.v1.RefusedBundle.$Shape;
            }

            namespace RefusedBundle {

                /** Properties of a RefusedBundle. */
                interface $Properties {

                    /** RefusedBundle bundleId */
                    bundleId?: (Uint8Array|null);

                    /** RefusedBundle code */
                    code?: (string|null);

                    /** RefusedBundle timeMs */
                    timeMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RefusedBundle. */
                type $Shape = lightferry.receipt.v1.RefusedBundle.$Properties;
            }

            /**
             * Properties of a ReceiptGroup.
             * @deprecated Use lightferry.receipt.v1.ReceiptGroup.$Properties instead.
             */
            interface IReceiptGroup extends lightferry.receipt.v1.ReceiptGroup.$Properties {
            }

            /** Represents a ReceiptGroup. */
            class ReceiptGroup {

                /**
                 * Constructs a new ReceiptGroup.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.receipt.v1.ReceiptGroup.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ReceiptGroup state. */
                state: string;

                /** ReceiptGroup code. */
                code: string;

                /** ReceiptGroup receipts. */
                receipts: lightferry.receipt.v1.Receipt.$Properties[];

                /**
                 * Encodes the specified ReceiptGroup message. Does not implicitly {@link lightferry.receipt.v1.ReceiptGroup.verify|verify} messages.
                 * @param message ReceiptGroup message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.receipt.v1.ReceiptGroup.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ReceiptGroup message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.receipt.v1.ReceiptGroup & lightferry.receipt.v1.ReceiptGroup.$Shape} ReceiptGroup
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.receipt.v1.ReceiptGroup & lightferry.receipt.v1.ReceiptGroup.$Shape;
            }

            namespace ReceiptGroup {

                /** Properties of a ReceiptGroup. */
                interface $Properties {

                    /** ReceiptGroup state */
                    state?: (string|null);

                    /** ReceiptGroup code */
                    code?: (string|null);

                    /** ReceiptGroup receipts */
                    receipts?: (lightferry.receipt.v1.Receipt.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ReceiptGroup. */
                type $Shape = lightferry.receipt.v1.ReceiptGroup.$Properties;
            }

            /**
             * Properties of a Receipt.
             * @deprecated Use lightferry.receipt.v1.Receipt.$Properties instead.
             */
            interface IReceipt extends lightferry.receipt.v1.Receipt.$Properties {
            }

            /** Represents a Receipt. */
            class Receipt {

                /**
                 * Constructs a new Receipt.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.receipt.v1.Receipt.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Receipt exchangeId. */
                exchangeId: Uint8Array;

                /** Receipt timeMs. */
                timeMs: number;

                /**
                 * Encodes the specified Receipt message. Does not implicitly {@link lightferry.receipt.v1.Receipt.verify|verify} messages.
                 * @param message Receipt message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.receipt.v1.Receipt.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Receipt message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.receipt.v1.Receipt & lightferry.receipt.v1.Receipt.$Shape} Receipt
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.receipt.v1.Receipt & lightferry.receipt.v1.Receipt.$Shape;
            }

            namespace Receipt {

                /** Properties of a Receipt. */
                interface $Properties {

                    /** Receipt exchangeId */
                    exchangeId?: (Uint8Array|null);

                    /** Receipt timeMs */
                    timeMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Receipt. */
                type $Shape = lightferry.receipt.v1.Receipt.$Properties;
            }

            /**
             * Properties of a SignedReceipts.
             * @deprecated Use lightferry.receipt.v1.SignedReceipts.$Properties instead.
             */
            interface ISignedReceipts extends lightferry.receipt.v1.SignedReceipts.$Properties {
            }

            /** Represents a SignedReceipts. */
            class SignedReceipts {

                /**
                 * Constructs a new SignedReceipts.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.receipt.v1.SignedReceipts.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** SignedReceipts list. */
                list: Uint8Array;

                /** SignedReceipts keyId. */
                keyId: string;

                /** SignedReceipts signature. */
                signature: Uint8Array;

                /** SignedReceipts certificates. */
                certificates: Uint8Array[];

                /**
                 * Encodes the specified SignedReceipts message. Does not implicitly {@link lightferry.receipt.v1.SignedReceipts.verify|verify} messages.
                 * @param message SignedReceipts message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.receipt.v1.SignedReceipts.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a SignedReceipts message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.receipt.v1.SignedReceipts & lightferry.receipt.v1.SignedReceipts.$Shape} SignedReceipts
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.receipt.v1.SignedReceipts & lightferry.receipt.v1.SignedReceipts.$Shape;
            }

            namespace SignedReceipts {

                /** Properties of a SignedReceipts. */
                interface $Properties {

                    /** SignedReceipts list */
                    list?: (Uint8Array|null);

                    /** SignedReceipts keyId */
                    keyId?: (string|null);

                    /** SignedReceipts signature */
                    signature?: (Uint8Array|null);

                    /** SignedReceipts certificates */
                    certificates?: (Uint8Array[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a SignedReceipts. */
                type $Shape = lightferry.receipt.v1.SignedReceipts.$Properties;
            }

            /**
             * Properties of a ReceiptFile.
             * @deprecated Use lightferry.receipt.v1.ReceiptFile.$Properties instead.
             */
            interface IReceiptFile extends lightferry.receipt.v1.ReceiptFile.$Properties {
            }

            /** Represents a ReceiptFile. */
            class ReceiptFile {

                /**
                 * Constructs a new ReceiptFile.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.receipt.v1.ReceiptFile.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ReceiptFile lists. */
                lists: Uint8Array[];

                /**
                 * Encodes the specified ReceiptFile message. Does not implicitly {@link lightferry.receipt.v1.ReceiptFile.verify|verify} messages.
                 * @param message ReceiptFile message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.receipt.v1.ReceiptFile.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ReceiptFile message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.receipt.v1.ReceiptFile & lightferry.receipt.v1.ReceiptFile.$Shape} ReceiptFile
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.receipt.v1.ReceiptFile & lightferry.receipt.v1.ReceiptFile.$Shape;
            }

            namespace ReceiptFile {

                /** Properties of a ReceiptFile. */
                interface $Properties {

                    /** ReceiptFile lists */
                    lists?: (Uint8Array[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ReceiptFile. */
                type $Shape = lightferry.receipt.v1.ReceiptFile.$Properties;
            }
        }
    }

    /** Namespace seal. */
    namespace seal {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of a LeaseRequest.
             * @deprecated Use lightferry.seal.v1.LeaseRequest.$Properties instead.
             */
            interface ILeaseRequest extends lightferry.seal.v1.LeaseRequest.$Properties {
            }

            /** Represents a LeaseRequest. */
            class LeaseRequest {

                /**
                 * Constructs a new LeaseRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.LeaseRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LeaseRequest priority. */
                priority: string;

                /** LeaseRequest maxItems. */
                maxItems: number;

                /** LeaseRequest waitMs. */
                waitMs: number;

                /** LeaseRequest worker. */
                worker: string;

                /**
                 * Encodes the specified LeaseRequest message. Does not implicitly {@link lightferry.seal.v1.LeaseRequest.verify|verify} messages.
                 * @param message LeaseRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.LeaseRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LeaseRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.LeaseRequest & lightferry.seal.v1.LeaseRequest.$Shape} LeaseRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.LeaseRequest & lightferry.seal.v1.LeaseRequest.$Shape;
            }

            namespace LeaseRequest {

                /** Properties of a LeaseRequest. */
                interface $Properties {

                    /** LeaseRequest priority */
                    priority?: (string|null);

                    /** LeaseRequest maxItems */
                    maxItems?: (number|null);

                    /** LeaseRequest waitMs */
                    waitMs?: (number|null);

                    /** LeaseRequest worker */
                    worker?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LeaseRequest. */
                type $Shape = lightferry.seal.v1.LeaseRequest.$Properties;
            }

            /**
             * Properties of a SealItem.
             * @deprecated Use lightferry.seal.v1.SealItem.$Properties instead.
             */
            interface ISealItem extends lightferry.seal.v1.SealItem.$Properties {
            }

            /** Represents a SealItem. */
            class SealItem {

                /**
                 * Constructs a new SealItem.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.SealItem.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** SealItem exchangeId. */
                exchangeId: Uint8Array;

                /** SealItem batch. */
                batch: number;

                /** SealItem trail. */
                trail: Uint8Array[];

                /** SealItem wrappedKey. */
                wrappedKey: Uint8Array;

                /** SealItem material. */
                material: Uint8Array;

                /** SealItem file. */
                file: string;

                /**
                 * Encodes the specified SealItem message. Does not implicitly {@link lightferry.seal.v1.SealItem.verify|verify} messages.
                 * @param message SealItem message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.SealItem.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a SealItem message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.SealItem & lightferry.seal.v1.SealItem.$Shape} SealItem
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.SealItem & lightferry.seal.v1.SealItem.$Shape;
            }

            namespace SealItem {

                /** Properties of a SealItem. */
                interface $Properties {

                    /** SealItem exchangeId */
                    exchangeId?: (Uint8Array|null);

                    /** SealItem batch */
                    batch?: (number|null);

                    /** SealItem trail */
                    trail?: (Uint8Array[]|null);

                    /** SealItem wrappedKey */
                    wrappedKey?: (Uint8Array|null);

                    /** SealItem material */
                    material?: (Uint8Array|null);

                    /** SealItem file */
                    file?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a SealItem. */
                type $Shape = lightferry.seal.v1.SealItem.$Properties;
            }

            /**
             * Properties of a SealMaterial.
             * @deprecated Use lightferry.seal.v1.SealMaterial.$Properties instead.
             */
            interface ISealMaterial extends lightferry.seal.v1.SealMaterial.$Properties {
            }

            /** Represents a SealMaterial. */
            class SealMaterial {

                /**
                 * Constructs a new SealMaterial.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.SealMaterial.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** SealMaterial salt. */
                salt: Uint8Array;

                /** SealMaterial entry. */
                entry: Uint8Array;

                /** SealMaterial verdict. */
                verdict: Uint8Array;

                /** SealMaterial leaf. */
                leaf: number;

                /** SealMaterial path. */
                path: Uint8Array[];

                /** SealMaterial content. */
                content: Uint8Array;

                /** SealMaterial parts. */
                parts: lightferry.seal.v1.ContentPart.$Properties[];

                /**
                 * Encodes the specified SealMaterial message. Does not implicitly {@link lightferry.seal.v1.SealMaterial.verify|verify} messages.
                 * @param message SealMaterial message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.SealMaterial.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a SealMaterial message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.SealMaterial & lightferry.seal.v1.SealMaterial.$Shape} SealMaterial
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.SealMaterial & lightferry.seal.v1.SealMaterial.$Shape;
            }

            namespace SealMaterial {

                /** Properties of a SealMaterial. */
                interface $Properties {

                    /** SealMaterial salt */
                    salt?: (Uint8Array|null);

                    /** SealMaterial entry */
                    entry?: (Uint8Array|null);

                    /** SealMaterial verdict */
                    verdict?: (Uint8Array|null);

                    /** SealMaterial leaf */
                    leaf?: (number|null);

                    /** SealMaterial path */
                    path?: (Uint8Array[]|null);

                    /** SealMaterial content */
                    content?: (Uint8Array|null);

                    /** SealMaterial parts */
                    parts?: (lightferry.seal.v1.ContentPart.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a SealMaterial. */
                type $Shape = lightferry.seal.v1.SealMaterial.$Properties;
            }

            /**
             * Properties of a ContentPart.
             * @deprecated Use lightferry.seal.v1.ContentPart.$Properties instead.
             */
            interface IContentPart extends lightferry.seal.v1.ContentPart.$Properties {
            }

            /** Represents a ContentPart. */
            class ContentPart {

                /**
                 * Constructs a new ContentPart.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.ContentPart.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ContentPart file. */
                file: string;

                /** ContentPart number. */
                number: number;

                /** ContentPart size. */
                size: number;

                /** ContentPart wrappedKey. */
                wrappedKey: Uint8Array;

                /**
                 * Encodes the specified ContentPart message. Does not implicitly {@link lightferry.seal.v1.ContentPart.verify|verify} messages.
                 * @param message ContentPart message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.ContentPart.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ContentPart message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.ContentPart & lightferry.seal.v1.ContentPart.$Shape} ContentPart
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.ContentPart & lightferry.seal.v1.ContentPart.$Shape;
            }

            namespace ContentPart {

                /** Properties of a ContentPart. */
                interface $Properties {

                    /** ContentPart file */
                    file?: (string|null);

                    /** ContentPart number */
                    number?: (number|null);

                    /** ContentPart size */
                    size?: (number|null);

                    /** ContentPart wrappedKey */
                    wrappedKey?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ContentPart. */
                type $Shape = lightferry.seal.v1.ContentPart.$Properties;
            }

            /**
             * Properties of a LeaseResponse.
             * @deprecated Use lightferry.seal.v1.LeaseResponse.$Properties instead.
             */
            interface ILeaseResponse extends lightferry.seal.v1.LeaseResponse.$Properties {
            }

            /** Represents a LeaseResponse. */
            class LeaseResponse {

                /**
                 * Constructs a new LeaseResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.LeaseResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LeaseResponse leaseId. */
                leaseId: string;

                /** LeaseResponse lane. */
                lane: string;

                /** LeaseResponse stream. */
                stream: string;

                /** LeaseResponse sequence. */
                sequence: number;

                /** LeaseResponse previousDigest. */
                previousDigest: Uint8Array;

                /** LeaseResponse fence. */
                fence: number;

                /** LeaseResponse recipients. */
                recipients: string[];

                /** LeaseResponse items. */
                items: lightferry.seal.v1.SealItem.$Properties[];

                /** LeaseResponse batches. */
                batches: lightferry.bundle.v1.VerdictBatch.$Properties[];

                /** LeaseResponse checkpoint. */
                checkpoint?: (lightferry.bundle.v1.Checkpoint.$Properties|null);

                /** LeaseResponse expiresMs. */
                expiresMs: number;

                /** LeaseResponse policyVersion. */
                policyVersion: string;

                /**
                 * Encodes the specified LeaseResponse message. Does not implicitly {@link lightferry.seal.v1.LeaseResponse.verify|verify} messages.
                 * @param message LeaseResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.LeaseResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LeaseResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.LeaseResponse & lightferry.seal.v1.LeaseResponse.$Shape} LeaseResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.LeaseResponse & lightferry.seal.v1.LeaseResponse.$Shape;
            }

            namespace LeaseResponse {

                /** Properties of a LeaseResponse. */
                interface $Properties {

                    /** LeaseResponse leaseId */
                    leaseId?: (string|null);

                    /** LeaseResponse lane */
                    lane?: (string|null);

                    /** LeaseResponse stream */
                    stream?: (string|null);

                    /** LeaseResponse sequence */
                    sequence?: (number|null);

                    /** LeaseResponse previousDigest */
                    previousDigest?: (Uint8Array|null);

                    /** LeaseResponse fence */
                    fence?: (number|null);

                    /** LeaseResponse recipients */
                    recipients?: (string[]|null);

                    /** LeaseResponse items */
                    items?: (lightferry.seal.v1.SealItem.$Properties[]|null);

                    /** LeaseResponse batches */
                    batches?: (lightferry.bundle.v1.VerdictBatch.$Properties[]|null);

                    /** LeaseResponse checkpoint */
                    checkpoint?: (lightferry.bundle.v1.Checkpoint.$Properties|null);

                    /** LeaseResponse expiresMs */
                    expiresMs?: (number|null);

                    /** LeaseResponse policyVersion */
                    policyVersion?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LeaseResponse. */
                type $Shape = lightferry.seal.v1.LeaseResponse.$Properties;
            }

            /**
             * Properties of a CommitRequest.
             * @deprecated Use lightferry.seal.v1.CommitRequest.$Properties instead.
             */
            interface ICommitRequest extends lightferry.seal.v1.CommitRequest.$Properties {
            }

            /** Represents a CommitRequest. */
            class CommitRequest {

                /**
                 * Constructs a new CommitRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.CommitRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** CommitRequest leaseId. */
                leaseId: string;

                /** CommitRequest fence. */
                fence: number;

                /** CommitRequest bundleId. */
                bundleId: Uint8Array;

                /** CommitRequest file. */
                file: string;

                /** CommitRequest size. */
                size: number;

                /** CommitRequest headerDigest. */
                headerDigest: Uint8Array;

                /** CommitRequest stream. */
                stream: string;

                /** CommitRequest sequence. */
                sequence: number;

                /** CommitRequest exchangeIds. */
                exchangeIds: Uint8Array[];

                /** CommitRequest expiresMs. */
                expiresMs: number;

                /** CommitRequest itemRoot. */
                itemRoot: Uint8Array;

                /**
                 * Encodes the specified CommitRequest message. Does not implicitly {@link lightferry.seal.v1.CommitRequest.verify|verify} messages.
                 * @param message CommitRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.CommitRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a CommitRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.CommitRequest & lightferry.seal.v1.CommitRequest.$Shape} CommitRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.CommitRequest & lightferry.seal.v1.CommitRequest.$Shape;
            }

            namespace CommitRequest {

                /** Properties of a CommitRequest. */
                interface $Properties {

                    /** CommitRequest leaseId */
                    leaseId?: (string|null);

                    /** CommitRequest fence */
                    fence?: (number|null);

                    /** CommitRequest bundleId */
                    bundleId?: (Uint8Array|null);

                    /** CommitRequest file */
                    file?: (string|null);

                    /** CommitRequest size */
                    size?: (number|null);

                    /** CommitRequest headerDigest */
                    headerDigest?: (Uint8Array|null);

                    /** CommitRequest stream */
                    stream?: (string|null);

                    /** CommitRequest sequence */
                    sequence?: (number|null);

                    /** CommitRequest exchangeIds */
                    exchangeIds?: (Uint8Array[]|null);

                    /** CommitRequest expiresMs */
                    expiresMs?: (number|null);

                    /** CommitRequest itemRoot */
                    itemRoot?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a CommitRequest. */
                type $Shape = lightferry.seal.v1.CommitRequest.$Properties;
            }

            /**
             * Properties of a CommitResponse.
             * @deprecated Use lightferry.seal.v1.CommitResponse.$Properties instead.
             */
            interface ICommitResponse extends lightferry.seal.v1.CommitResponse.$Properties {
            }

            /** Represents a CommitResponse. */
            class CommitResponse {

                /**
                 * Constructs a new CommitResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.CommitResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified CommitResponse message. Does not implicitly {@link lightferry.seal.v1.CommitResponse.verify|verify} messages.
                 * @param message CommitResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.CommitResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a CommitResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.CommitResponse & lightferry.seal.v1.CommitResponse.$Shape} CommitResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.CommitResponse & lightferry.seal.v1.CommitResponse.$Shape;
            }

            namespace CommitResponse {

                /** Properties of a CommitResponse. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a CommitResponse. */
                type $Shape = lightferry.seal.v1.CommitResponse.$Properties;
            }

            /**
             * Properties of a FailRequest.
             * @deprecated Use lightferry.seal.v1.FailRequest.$Properties instead.
             */
            interface IFailRequest extends lightferry.seal.v1.FailRequest.$Properties {
            }

            /** Represents a FailRequest. */
            class FailRequest {

                /**
                 * Constructs a new FailRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.FailRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** FailRequest leaseId. */
                leaseId: string;

                /** FailRequest items. */
                items: lightferry.seal.v1.FailedItem.$Properties[];

                /**
                 * Encodes the specified FailRequest message. Does not implicitly {@link lightferry.seal.v1.FailRequest.verify|verify} messages.
                 * @param message FailRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.FailRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a FailRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.FailRequest & lightferry.seal.v1.FailRequest.$Shape} FailRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.FailRequest & lightferry.seal.v1.FailRequest.$Shape;
            }

            namespace FailRequest {

                /** Properties of a FailRequest. */
                interface $Properties {

                    /** FailRequest leaseId */
                    leaseId?: (string|null);

                    /** FailRequest items */
                    items?: (lightferry.seal.v1.FailedItem.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a FailRequest. */
                type $Shape = lightferry.seal.v1.FailRequest.$Properties;
            }

            /**
             * Properties of a FailedItem.
             * @deprecated Use lightferry.seal.v1.FailedItem.$Properties instead.
             */
            interface IFailedItem extends lightferry.seal.v1.FailedItem.$Properties {
            }

            /** Represents a FailedItem. */
            class FailedItem {

                /**
                 * Constructs a new FailedItem.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.FailedItem.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** FailedItem exchangeId. */
                exchangeId: Uint8Array;

                /** FailedItem code. */
                code: string;

                /**
                 * Encodes the specified FailedItem message. Does not implicitly {@link lightferry.seal.v1.FailedItem.verify|verify} messages.
                 * @param message FailedItem message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.FailedItem.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a FailedItem message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.FailedItem & lightferry.seal.v1.FailedItem.$Shape} FailedItem
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.FailedItem & lightferry.seal.v1.FailedItem.$Shape;
            }

            namespace FailedItem {

                /** Properties of a FailedItem. */
                interface $Properties {

                    /** FailedItem exchangeId */
                    exchangeId?: (Uint8Array|null);

                    /** FailedItem code */
                    code?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a FailedItem. */
                type $Shape = lightferry.seal.v1.FailedItem.$Properties;
            }

            /**
             * Properties of a FailResponse.
             * @deprecated Use lightferry.seal.v1.FailResponse.$Properties instead.
             */
            interface IFailResponse extends lightferry.seal.v1.FailResponse.$Properties {
            }

            /** Represents a FailResponse. */
            class FailResponse {

                /**
                 * Constructs a new FailResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.FailResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified FailResponse message. Does not implicitly {@link lightferry.seal.v1.FailResponse.verify|verify} messages.
                 * @param message FailResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.FailResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a FailResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.FailResponse & lightferry.seal.v1.FailResponse.$Shape} FailResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.FailResponse & lightferry.seal.v1.FailResponse.$Shape;
            }

            namespace FailResponse {

                /** Properties of a FailResponse. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a FailResponse. */
                type $Shape = lightferry.seal.v1.FailResponse.$Properties;
            }

            /**
             * Properties of a LeaseReceiptsRequest.
             * @deprecated Use lightferry.seal.v1.LeaseReceiptsRequest.$Properties instead.
             */
            interface ILeaseReceiptsRequest extends lightferry.seal.v1.LeaseReceiptsRequest.$Properties {
            }

            /** Represents a LeaseReceiptsRequest. */
            class LeaseReceiptsRequest {

                /**
                 * Constructs a new LeaseReceiptsRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.LeaseReceiptsRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LeaseReceiptsRequest waitMs. */
                waitMs: number;

                /**
                 * Encodes the specified LeaseReceiptsRequest message. Does not implicitly {@link lightferry.seal.v1.LeaseReceiptsRequest.verify|verify} messages.
                 * @param message LeaseReceiptsRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.LeaseReceiptsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LeaseReceiptsRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.LeaseReceiptsRequest & lightferry.seal.v1.LeaseReceiptsRequest.$Shape} LeaseReceiptsRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.LeaseReceiptsRequest & lightferry.seal.v1.LeaseReceiptsRequest.$Shape;
            }

            namespace LeaseReceiptsRequest {

                /** Properties of a LeaseReceiptsRequest. */
                interface $Properties {

                    /** LeaseReceiptsRequest waitMs */
                    waitMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LeaseReceiptsRequest. */
                type $Shape = lightferry.seal.v1.LeaseReceiptsRequest.$Properties;
            }

            /**
             * Properties of a LeaseReceiptsResponse.
             * @deprecated Use lightferry.seal.v1.LeaseReceiptsResponse.$Properties instead.
             */
            interface ILeaseReceiptsResponse extends lightferry.seal.v1.LeaseReceiptsResponse.$Properties {
            }

            /** Represents a LeaseReceiptsResponse. */
            class LeaseReceiptsResponse {

                /**
                 * Constructs a new LeaseReceiptsResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.LeaseReceiptsResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LeaseReceiptsResponse list. */
                list: Uint8Array;

                /**
                 * Encodes the specified LeaseReceiptsResponse message. Does not implicitly {@link lightferry.seal.v1.LeaseReceiptsResponse.verify|verify} messages.
                 * @param message LeaseReceiptsResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.LeaseReceiptsResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LeaseReceiptsResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.LeaseReceiptsResponse & lightferry.seal.v1.LeaseReceiptsResponse.$Shape} LeaseReceiptsResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.LeaseReceiptsResponse & lightferry.seal.v1.LeaseReceiptsResponse.$Shape;
            }

            namespace LeaseReceiptsResponse {

                /** Properties of a LeaseReceiptsResponse. */
                interface $Properties {

                    /** LeaseReceiptsResponse list */
                    list?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LeaseReceiptsResponse. */
                type $Shape = lightferry.seal.v1.LeaseReceiptsResponse.$Properties;
            }

            /**
             * Properties of a CommitReceiptsRequest.
             * @deprecated Use lightferry.seal.v1.CommitReceiptsRequest.$Properties instead.
             */
            interface ICommitReceiptsRequest extends lightferry.seal.v1.CommitReceiptsRequest.$Properties {
            }

            /** Represents a CommitReceiptsRequest. */
            class CommitReceiptsRequest {

                /**
                 * Constructs a new CommitReceiptsRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.CommitReceiptsRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** CommitReceiptsRequest signed. */
                signed: Uint8Array;

                /**
                 * Encodes the specified CommitReceiptsRequest message. Does not implicitly {@link lightferry.seal.v1.CommitReceiptsRequest.verify|verify} messages.
                 * @param message CommitReceiptsRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.CommitReceiptsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a CommitReceiptsRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.CommitReceiptsRequest & lightferry.seal.v1.CommitReceiptsRequest.$Shape} CommitReceiptsRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.CommitReceiptsRequest & lightferry.seal.v1.CommitReceiptsRequest.$Shape;
            }

            namespace CommitReceiptsRequest {

                /** Properties of a CommitReceiptsRequest. */
                interface $Properties {

                    /** CommitReceiptsRequest signed */
                    signed?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a CommitReceiptsRequest. */
                type $Shape = lightferry.seal.v1.CommitReceiptsRequest.$Properties;
            }

            /**
             * Properties of a CommitReceiptsResponse.
             * @deprecated Use lightferry.seal.v1.CommitReceiptsResponse.$Properties instead.
             */
            interface ICommitReceiptsResponse extends lightferry.seal.v1.CommitReceiptsResponse.$Properties {
            }

            /** Represents a CommitReceiptsResponse. */
            class CommitReceiptsResponse {

                /**
                 * Constructs a new CommitReceiptsResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: lightferry.seal.v1.CommitReceiptsResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified CommitReceiptsResponse message. Does not implicitly {@link lightferry.seal.v1.CommitReceiptsResponse.verify|verify} messages.
                 * @param message CommitReceiptsResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: lightferry.seal.v1.CommitReceiptsResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a CommitReceiptsResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {lightferry.seal.v1.CommitReceiptsResponse & lightferry.seal.v1.CommitReceiptsResponse.$Shape} CommitReceiptsResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): lightferry.seal.v1.CommitReceiptsResponse & lightferry.seal.v1.CommitReceiptsResponse.$Shape;
            }

            namespace CommitReceiptsResponse {

                /** Properties of a CommitReceiptsResponse. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a CommitReceiptsResponse. */
                type $Shape = lightferry.seal.v1.CommitReceiptsResponse.$Properties;
            }
        }
    }
}
