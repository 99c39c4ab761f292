// Every bound of the kernel, in one place, unit last. Changing one that both sides of a link rely on is a wire change.

/** Wire versions spoken: N and N-1. */
export const wireVersion = 1;
export const wireVersionMin = 1;

// Group and membership (DESIGN rule 15)
export const groupPeersMax = 24;
export const linksMin = 3;
export const probeEveryMs = 500;
export const probePeers = 2;
export const suspectAfterMs = 2_000;
export const goneAfterMs = 10_000;
export const linkFillEveryMs = 350;
export const connectTimeoutMs = 8_000;

// Groups
/** Members of a group that keep a link to each neighbouring group. */
export const bridgesPerNeighbour = 2;
/** The two ends of a bridge speak this often. */
export const bridgeBeatMs = 2_000;
/** A bridge that heard nothing for so long is none. */
export const bridgeLostMs = 3 * bridgeBeatMs;
/** Who is to be a bridge and is none after so long is doubled by the next member. */
export const bridgeGraceMs = 6_000;
/** What a bridge says to its own members when nothing changes. */
export const neighbourNewsEveryMs = 10_000;
/** With fewer neighbours than this within reach, neighbours of neighbours are taken in. */
export const neighboursMin = 2;
/** A neighbour that the directory does not name and nobody hears is forgotten after so long. */
export const neighbourForgottenMs = 60_000;
/** A link to another group that nothing has used for so long is closed. */
export const foreignLinkIdleMs = 30_000;

// Boot
/** A service that reads its store for longer goes on with it while the tab is there already: a store may hold ten thousand jobs. */
export const storeReadMsMax = 8_000;
/** Reading a store takes seconds where a browser has hardly any of the processor. */
export const serviceStartMsMax = 20_000;
export const serviceStopMsMax = 3_000;

// Messages
/** An encoded control message; above a channel's own bound it goes in pieces. */
export const bodyBytesMax = 4 * 1024 * 1024;
export const buffersPerMessageMax = 64;
export const bufferBytesMax = 64 * 1024 * 1024;
/** Bytes of inbound buffers one link may have in assembly at once. */
export const inboundBytesPerLinkMax = 128 * 1024 * 1024;
/** The same over all links of a tab. */
export const inboundBytesMax = 512 * 1024 * 1024;
/** Bytes of buffers a sender may stream ahead of the far side's consent, per link. */
export const eagerBytesMax = 1024 * 1024;
export const requestsPerLinkMax = 512;
export const outboundMessagesPerLinkMax = 2_048;
export const outboundControlBytesMax = 32 * 1024 * 1024;
export const callTimeoutMs = 5_000;
export const callTimeoutMsMax = 600_000;
/** For what may have to come over a slow line: where nothing moves any more the services asked say so themselves, and much sooner. */
export const slowLineMsMax = callTimeoutMsMax;
export const dataChunkBytes = 64 * 1024;
/** A chunk is what leaves in `dataChunkMs`, within `dataChunkBytesMin` and `dataChunkBytes`, and at first the start. */
export const dataChunkMs = 50;
export const dataChunkBytesMin = 8 * 1024;
export const dataChunkBytesStart = 16 * 1024;
/** So much of the data plane's channel is kept filled: what leaves in `dataBufferedMs`, within these bounds, and at first the start. */
export const dataBufferedMs = 200;
export const dataBufferedBytesMin = 256 * 1024;
export const dataBufferedBytesStart = 1024 * 1024;
export const dataBufferedBytesMax = 3 * 1024 * 1024;
export const controlBufferedBytesMax = 1024 * 1024;
export const controlBufferedBytesLow = 256 * 1024;

// Links
export const linksMax = groupPeersMax * 4;
/** Links that are not proven yet. */
export const handshakesMax = 64;
export const handshakeTimeoutMs = 5_000;
/** What may arrive on a link before its handshake is done. */
export const heldBytesMax = 4 * 1024 * 1024;
export const heldMessagesMax = 1_024;
/** How long a good-bye may take to leave before the link is closed. */
export const byeGraceMs = 250;
/** A second link to the same peer is closed when nothing is under way on it, looked at this often; at the latest after `retireMsMax`. */
export const retireEveryMs = 1_000;
export const retireMsMax = 15_000;
/** After a failed dial, what is sent to that peer does not dial again for so long. */
export const redialAfterMs = 1_000;
export const framesPerLinkPerSecondMax = 10_000;
export const framesPerLinkBurstMax = 20_000;

// Introductions by members, where the meeting point is away
/** Of an offer or an answer: a session description. */
export const offerCharsMax = 16 * 1024;
/** How long a tab with links is asked whether it reaches somebody. */
export const reachTimeoutMs = 1_000;
/** Offers that a tab carries, or answers, at once; and of these for one neighbour. */
export const introductionsMax = 32;
export const introductionsPerPeerMax = 8;

// Relay by one hop
/** Buffers of one relayed message, all together: the largest segment. */
export const relayBytesMax = 16 * 1024 * 1024;
/** With buffers above this a link of one's own is tried first. */
export const relayFirstBytesMax = 64 * 1024;
export const relayBytesPerSecondMax = 4 * 1024 * 1024;
export const relayFramesPerSecondMax = 500;
export const relayTransferMsMax = 30_000;
export const relaySendersMax = 4_096;
/** Relayed frames of one sender may overtake each other by so many. */
export const relayWindowFrames = 1_024;
export const relayedRequestsPerPeerMax = 64;

// Objects
export const segmentBytes = 1024 * 1024;
/** A segment that holds one oversized item may be longer than `segmentBytes`, up to this. */
export const segmentBytesMax = 16 * 1024 * 1024;
export const objectSegmentsMax = 4_096;
/** Slices of one segment: what GF(16) reaches. */
export const slicesPerSegmentMax = 16;
/** Stores a manifest names. */
export const objectHoldersMax = 16;
/** Codings of one object that are known at once: the manifest's, one it is on its way to, one it comes from. */
export const codingsPerObjectMax = 3;
/** An object of one segment up to this is held as whole copies: messages cost more than its bytes. */
export const smallBytesMax = 64 * 1024;
/** Bytes are hashed in leaves of this length. */
export const leafBytes = 256 * 1024;
/** Segments of one put on their way to their stores at once. */
export const putSegmentsInFlightMax = 4;
/** Of a small object (k = 1). */
export const copiesMax = 6;

// Holdings, repair and re-coding
/** Slots of one identity's stores that others remember; of all identities; and what of the latter each has for itself. */
export const holdingsPerIdentityMax = 100_000;
export const holdingsAllMax = 400_000;
export const holdingsPerIdentityShare = 8_192;
/** Each member is asked so often whether what is on record of it is right, give or take a quarter. Losses show earlier: with the next change. */
export const holdingsCheckEveryMs = 60_000;
/** What repair may take of the link, in bytes sent and fetched, so that jobs' data goes first; and how much of it at once. */
export const repairBytesPerSecond = 8 * 1024 * 1024;
export const repairBurstBytes = 2 * 1024 * 1024;
/** More identities must have asked for a higher k for so long, without a break, before what is stored is coded anew. */
export const recodeUpAfterMs = 600_000;
/** Slots that nobody needs any more are dropped when that has been so for so long: who left may have come back only for a moment. */
export const releaseAfterMs = 60_000;

// Queue (rules 2 to 7)
export const holdersMax = 6;
export const leaseMs = 10_000;
/** The owner stops at this share of the lease. */
export const leaseOwnerShare = 0.8;
export const leaseRenewEveryMs = 2_500;
export const holdersLostMs = 5_000;
export const claimRetryMsMax = 120;
/** What is lent to another group counts as queued for so long after that group was heard of, or any of it decided. */
export const exportLeaseMs = 30_000;
/** A job whose home is not heard of for so long gets another by its submitter's tab. */
export const homelessAfterMs = 60_000;
export const recordsPerJobMax = 100_000;
export const recordItemsMax = 1_000_000;
/** What a function is sized for. */
export const functionTargetMs = 1_000;
export const functionBytesMax = 8 * 1024 * 1024;

// Ledger
export const ackStoresMin = 3;
export const stewardDelayMs = 1_500;
/** A manifest travels in a body (`bodyBytesMax`), with room for its signature. */
export const jobManifestBytesMax = 128 * 1024;
export const eventBytesMax = 64 * 1024;
export const eventsPerExchangeMax = 512;
export const clockExchangeEveryMs = 2_000;
/** What a group has to look for a job beyond itself; each hop nearer to the asker has once more. */
export const findTimeoutMs = 2_000;
export const findHopsMax = 4;
/** Two bridges tell each other what changed at most this often. */
export const bridgeTellEveryMs = 500;
/** Events, manifests and clocks in one message of the ledger: below `bodyBytesMax` by what wraps them. */
export const exchangeBytesMax = 192 * 1024;
export const eventsPerJobMax = 200_000;
/** Events of a job that are packed into one snapshot: so many fit one message. */
export const eventsPerSnapshotMax = 1_024;
/**
 * At the end of a job fewer are packed too: what lies on disk by itself is read three times as slowly when a page begins. What comes after the
 * end alone is not worth a snapshot.
 */
export const eventsPerLastSnapshotMin = 4;
/** Events of all jobs held in memory: some 1 200 000 functions. */
export const ledgerBytesMax = 512 * 1024 * 1024;
export const actorsPerJobMax = 1_024;
/** How far past the first gap an actor's events are held: what bounds the intervals of a clock, whatever is lost or made up. */
export const eventsAheadMax = 1_024;
export const settingsPerJobMax = 3_000;
/** Of these, appends to an open job. */
export const appendsPerJobMax = 2_000;
/** Of the events of a job that one identity other than its submitter may write: nobody fills a ledger alone. */
export const eventsPerIdentityMax = eventsPerJobMax / 2;
/** The same, of the tabs that write to a job. */
export const actorsPerIdentityMax = 256;
/** The same, of the ledger's bytes of all jobs. */
export const ledgerBytesPerIdentityMax = ledgerBytesMax / 2;
export const jobsPerIdentityMax = 1_000;
/** Of these, jobs that have not ended: so many are taken from whoever submits them. */
export const jobsInFlightPerIdentityMax = 700;
/** Functions of one submitter's jobs that a tab keeps labels of, whoever appended them. */
export const functionsPerSubmitterMax = 60_000;
/** Events written within this time travel together. */
export const eventBatchMs = 3;
export const eventsPerBatchMax = 128;
export const batchesInFlightMax = 16;
/** Below `callTimeoutMs`: whoever waits for acknowledgements is answered with how many came. */
export const ackWaitMs = 4_000;
export const jobsPublishEveryMs = 100;
export const jobsMax = 10_000;
export const jobItemsMax = 10_000_000;
/** Of a job among its submitter's own, either way. */
export const priorityMax = 100;

// Execution
export const itemAttemptsMax = 3;
/** So many failures of an item are for good, whoever they are of: nobody waits for ever for donors who do not come. */
export const itemAttemptsOfAnyMax = 9;
export const itemMsDefault = 60_000;
export const itemMsMax = 24 * 3_600_000;
/** What a job may say that all of it takes of processors: a hundred years. */
export const jobTotalMsMax = 100 * 365 * 24 * 3_600_000;
/** A memory of WebAssembly, where the job does not say; and the most it may say. */
export const wasmMiBDefault = 1_024;
export const memoryMiBMax = 16_384;
/** Code that took down so many sandboxes here is run here no more. */
export const takedownsMax = 3;
/** So often interrupted, an item goes only to members that stay idle for longer than it ran. */
export const interruptionsMax = 3;
export const resultItemBytesMax = 16 * 1024 * 1024;
export const logBytesPerFunctionMax = 64 * 1024;
export const jobLifeMsDefault = 14 * 24 * 3_600_000;
export const jobLifeMsMax = 90 * 24 * 3_600_000;
export const afterLifeMs = 24 * 3_600_000;

// Abuse
/** What an operator may deny at once. */
export const denyEntriesMax = 2_000;
export const denyListBytesMax = 512 * 1024;
/** A report of a donor, before it is signed. */
export const reportBytesMax = 8 * 1024;
/** Reports that wait until the server can be reached; of more the oldest is given up. */
export const reportsWaitingMax = 64;
/** A tab asks the server for the deny list so often, and another tab more often than that. */
export const denyListFetchEveryMs = 300_000;
export const denyListAskEveryMs = 60_000;
