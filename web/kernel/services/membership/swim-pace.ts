// How often the membership core asks for what; what others rely on is in swim.ts.
/** Who was heard less than this ago is not asked: two rounds, less what an answer takes. */
export const heardJustNowMs = 900;
/** Members that are told in one tick that this tab gives something else now: a group of 24 knows within two ticks. */
export const toldAtOnceMax = 12;
export const toldAtOnceForMs = 1_000;
/** Who has missed more probes than this is asked once in so many rounds. */
export const patientMisses = 3;
export const silentEveryRounds = 4;
/** A member without a link to us that has missed any: with the link that comes again it is asked at once. */
export const awayEveryRounds = 8;
/** One probe in this many asks for everybody the other knows, whatever the digests say. */
export const askAllEveryRounds = 60;
/** After a question for everybody the next waits, longer each time while views go on to differ. */
export const askAllGapMs = 500;
export const askAllGapMsMax = 8_000;
/** A gone member whose link still stands (a frozen tab) is tried again this often. */
export const retryGoneEveryMs = 5_000;
/** Helpers' answers are waited for this long before judging: two lost probes and an unlucky moment are no crash. */
export const helpersAnswerMs = 150;
export const incarnationMax = 2 ** 48;
