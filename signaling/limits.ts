// Every bound of the server, in one place, unit last. `startServer` takes others for tests; people set the first three by environment.
import { reportBytesMax } from '../web/kernel/limits.ts';
import type { Rate } from './token-bucket.ts';

export interface Limits {
  /** WebSockets, both kinds together. A tab has two. */
  readonly socketsMax: number;
  /** WebSockets of one address: an IPv4 address or an IPv6 /64. A class behind one router is one address. */
  readonly socketsPerAddressMax: number;
  readonly groupPeersMax: number;
  /** Two groups are merged when they could have been one for so long. */
  readonly mergeAfterMs: number;
  /** A group above its bound is split when it has been so for so long. */
  readonly splitAfterMs: number;
  /** A group hears of changes of its neighbours, and whether groups are to be merged or split is looked at, this often. */
  readonly regroupEveryMs: number;

  /** TCP connections, of pages and of WebSockets. */
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly headersMs: number;
  readonly requestMs: number;
  readonly keepAliveMs: number;
  readonly headerBytesMax: number;
  /** Requests of one TCP connection. */
  readonly requestRate: Rate;

  readonly directoryFrameBytesMax: number;
  readonly directoryFrameRate: Rate;
  readonly introductionFrameBytesMax: number;
  /** A tab that fills its links sends an offer and some ten candidates for each of up to 23 others. */
  readonly introductionFrameRate: Rate;
  readonly inboundByteRate: Rate;
  /** What one slow reader may leave unread before it is cut. */
  readonly unsentBytesMax: number;
  /** What PeerServer may hold for peers that are not there, all together: it forgets it after 5 s. */
  readonly absentByteRate: Rate;

  readonly joinMs: number;
  /** A socket that answers neither of two pings in a row is half-open and is cut. */
  readonly pingEveryMs: number;
  readonly networksMax: number;
  readonly groupsPerNetworkMax: number;
  /** Stores whose last group is remembered; the oldest are forgotten, and then say themselves where they were. */
  readonly storesRememberedMax: number;
  readonly siteBytesMax: number;

  readonly reportBodyBytesMax: number;
  /** All reports together: of more the server takes none, until its operator has put the file away. */
  readonly reportsFileBytesMax: number;
  /** Reports of one address, and of all. */
  readonly reportRate: Rate;
  readonly reportRateOfAll: Rate;
}

export const defaultLimits: Limits = {
  socketsMax: 4_096,
  socketsPerAddressMax: 256,
  groupPeersMax: 24,
  mergeAfterMs: 60_000,
  splitAfterMs: 30_000,
  regroupEveryMs: 1_000,

  connectionsMax: 8_192,
  connectionsPerAddressMax: 1_024,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 5_000,
  headerBytesMax: 8 * 1024,
  requestRate: { burst: 500, perSecond: 100 },

  directoryFrameBytesMax: 4 * 1024,
  directoryFrameRate: { burst: 20, perSecond: 2 },
  introductionFrameBytesMax: 64 * 1024,
  introductionFrameRate: { burst: 1_000, perSecond: 100 },
  inboundByteRate: { burst: 4 * 1024 * 1024, perSecond: 512 * 1024 },
  unsentBytesMax: 2 * 1024 * 1024,
  absentByteRate: { burst: 4 * 1024 * 1024, perSecond: 1024 * 1024 },

  joinMs: 10_000,
  pingEveryMs: 10_000,
  networksMax: 1_024,
  groupsPerNetworkMax: 512,
  storesRememberedMax: 100_000,
  siteBytesMax: 64 * 1024 * 1024,

  reportBodyBytesMax: 2 * reportBytesMax + 1_024,
  reportsFileBytesMax: 16 * 1024 * 1024,
  reportRate: { burst: 10, perSecond: 1 / 60 },
  reportRateOfAll: { burst: 100, perSecond: 1 / 2 },
};
