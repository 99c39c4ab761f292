// A team is a key, as a private network is. Who has its link may give in its name: each computed event then carries the team's mark
// for that identity, which nobody can make, or tell from a random one, without the key. So the sums of a team rest on what its members
// signed, and strangers see neither who is in it nor who belongs together.
import { hexOf } from './bytes.ts';
import { hmacSha256, type Sha256 } from './hmac.ts';
import { networkKeyBytes, networkTitleCharsMax, titleInLink } from './invite.ts';
import { encodeWire } from './wire-codec.ts';

export const teamKeyBytes = networkKeyBytes;
export const teamTitleCharsMax = networkTitleCharsMax;

export interface Team {
  /** Hex, `teamKeyBytes` long. */
  readonly key: string;
  /** As its maker, or this person, calls it; may be empty. */
  readonly name: string;
  /** The network it gives in: 'public', or the id of a private one. */
  readonly network: string;
}

/** What an event of `identity` carries: 32 hex digits. */
export async function teamMarkOf(sha256: Sha256, key: Uint8Array, identity: string): Promise<string> {
  return hexOf(await hmacSha256(sha256, key, encodeWire(['lull team v1', identity]))).slice(0, 32);
}

const head = '#team=';
const form = new RegExp(`^#team=([0-9a-fA-F]{${2 * teamKeyBytes}})&in=(public|[0-9a-fA-F]{64})(?![0-9a-zA-Z])(?:&name=([^&]*))?`);

/** `#team=<key>&in=<network>&name=<what its maker calls it>`: in the fragment, which browsers never send. */
export const teamFragment = ({ key, name, network }: Team): string =>
  `${head}${key}&in=${network}${name === '' ? '' : `&name=${encodeURIComponent(name)}`}`;

/** undefined where the fragment is none of a team; 'damaged' where it was one before somebody cut it. */
export function parseTeam(fragment: string): Team | 'damaged' | undefined {
  if (!fragment.startsWith(head)) return undefined;
  const match = form.exec(fragment);
  if (match === null) return 'damaged';
  return { key: match[1]!.toLowerCase(), network: match[2]!.toLowerCase(), name: titleInLink(match[3] ?? '') };
}
