// The operator of the site, by the server that the page came from.
import type { IdentityId } from '../kernel/lib/ids.ts';
import { failure, success } from '../kernel/lib/outcome.ts';
import type { OperatorDesk } from '../kernel/platform.ts';
import { parseSignedText, signedText } from '../kernel/protocol/deny-list.ts';

const answerMsMax = 15_000;

const away = () => failure('unreachable', 'The server cannot be reached.');

/** undefined where the site has no operator. `ask` is the page's own fetch, or a test's. */
export function operatorDesk(key: IdentityId | null, ask: typeof fetch = (...request) => fetch(...request)): OperatorDesk | undefined {
  if (key === null) return undefined;
  return {
    key,
    fetchList: async () => {
      try {
        const answer = await ask('/deny-list.json', { cache: 'no-store', signal: AbortSignal.timeout(answerMsMax) });
        if (!answer.ok) return away();
        const text = (await answer.text()).trim();
        if (text === 'null') return success(null);
        const signed = parseSignedText(text);
        return signed === undefined ? failure('malformed', 'What the server hands out is no deny list.') : success(signed);
      } catch {
        return away();
      }
    },
    sendReport: async (report) => {
      try {
        const request = { method: 'POST', body: signedText(report), signal: AbortSignal.timeout(answerMsMax) };
        const { status } = await ask('/reports', request);
        if (status === 204) return success(undefined);
        if (status === 429 || status >= 500) return failure('overloaded', 'The server takes no more reports just now.');
        return failure('refused', `The server does not take this report (${status}).`);
      } catch {
        return away();
      }
    },
  };
}
