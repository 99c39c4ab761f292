// npm run donors -- N --url U: keeps N headless donor tabs open, each with a profile of its own, until Ctrl-C. U may be an invite link.
import { parseArgs } from 'node:util';
import { followInvite, isInvite } from './harness/invite.ts';
import { donate, Profile } from './harness/profile.ts';

const usage = 'Usage: npm run donors -- <1 to 64> --url <the site, or an invite link> [--cores <a donor>]';

const { values, positionals } = given();
const count = Number(positionals[0] ?? 3);
const cores = Number(values.cores);
if (!Number.isSafeInteger(count) || count < 1 || count > 64 || !Number.isSafeInteger(cores) || cores < 1) {
  console.error(usage);
  process.exit(2);
}

const profiles: Profile[] = [];
const close = async () => {
  await Promise.allSettled(profiles.map((profile) => profile.close()));
  process.exit(0);
};
process.once('SIGINT', () => void close());
process.once('SIGTERM', () => void close());
try {
  for (let i = 0; i < count; i++) {
    const profile = await Profile.open();
    profiles.push(profile);
    const page = isInvite(values.url) ? await followInvite(profile, values.url) : await profile.tab(values.url);
    await donate(page, { cores });
    console.log(`donor ${i + 1} of ${count}: ${await page.evaluate(() => globalThis.lull.self.name)}`);
  }
  console.log('All are donating. Ctrl-C ends them.');
} catch (error) {
  console.error(`No donor could be started at ${values.url}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
  await Promise.allSettled(profiles.map((profile) => profile.close()));
  process.exit(1);
}

function given() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { url: { type: 'string', default: 'http://localhost:8787' }, cores: { type: 'string', default: '1' } },
    });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}
