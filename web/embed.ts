// /embed: the site's kernel for one page of another origin. Wires adapters, kernel, public API and that page together; decides nothing.
import { browserClock } from './adapters/browser-clock.ts';
import { browserRandom } from './adapters/browser-random.ts';
import { codecClient } from './adapters/codec-client.ts';
import { openStorage } from './adapters/idb-storage.ts';
import { operatorDesk } from './adapters/operator-desk.ts';
import { directoryUrlOf, peerDirectory } from './adapters/peer-directory.ts';
import { peerjsTransport, peerServerAt } from './adapters/peerjs-transport.ts';
import { electSpeaker } from './adapters/profile.ts';
import { missingFeature } from './adapters/requirements.ts';
import { loadSite } from './adapters/site-config.ts';
import { trustOwnScripts } from './adapters/trusted-types.ts';
import { identityOfSeed, openIdentity, seedBytes, webDigest } from './adapters/web-crypto.ts';
import { bareMachine, noSandbox } from './embed/bare-machine.ts';
import { visitor, type Visitor } from './embed/door.ts';
import { EmbedHost } from './embed/host.ts';
import { worldOf } from './embed/world.ts';
import { startKernel } from './kernel/kernel.ts';
import { bytesOfHex, hexOf } from './kernel/lib/bytes.ts';
import type { PeerId } from './kernel/lib/ids.ts';
import { networkIdOf, publicNetwork } from './kernel/lib/network-key.ts';
import { unwrap } from './kernel/lib/outcome.ts';
import { carryOver } from './kernel/carry-over.ts';
import { memoryStorage } from './kernel/memory-storage.ts';
import type { Platform, Storage } from './kernel/platform.ts';
import { groupsContract } from './kernel/protocol/contracts/groups.ts';
import { ledgerContract } from './kernel/protocol/contracts/ledger.ts';
import { membershipContract } from './kernel/protocol/contracts/membership.ts';
import { introductionProofBytes, introductionToken } from './kernel/protocol/directory.ts';
import { createLull } from './sdk/lull.ts';
import { PageKernel } from './sdk/page-kernel.ts';

trustOwnScripts();
// Nothing is begun, and nothing is read, before somebody has said who embeds.
void visitor(window).then(serve);

const report: Platform['report'] = (level, message, detail) => {
  const write = level === 'bug' ? console.error : level === 'warning' ? console.warn : console.info;
  write(message, detail ?? '');
};

async function serve({ origin, port, identity: imported, network: networkKeyHex }: Visitor): Promise<void> {
  const missing = missingFeature();
  if (missing !== undefined) {
    port.postMessage({ t: 'refused', fault: { code: 'refused', message: `${missing.what}. ${missing.toDo}` } });
    return;
  }
  const random = browserRandom();
  const clock = browserClock();
  const codec = codecClient(clock);
  const kernel = new PageKernel(clock, random, codec, () => undefined);
  const networkKey = networkKeyHex === null ? undefined : bytesOfHex(networkKeyHex);
  const network = networkKey === undefined ? publicNetwork : await networkIdOf(webDigest.sha256, networkKey);
  const worldFor = (brought: string | null) => worldOf(origin, brought, networkKey === undefined ? null : network);
  const ownName = worldFor(null).identity;
  const opening =
    imported !== null
      ? identityOfSeed(bytesOfHex(imported))
      : ownName === null
        ? identityOfSeed(random.bytes(seedBytes))
        : openIdentity({ random, name: ownName });
  const [site, identity] = await Promise.all([loadSite(), opening]);
  const lull = createLull(Object.assign(kernel, { runsCode: false }));
  const world = worldFor(imported === null || !identity.ok ? null : identity.value.signer.identity);
  new EmbedHost({
    lull,
    port,
    clock,
    watch: (listener) => {
      const stopped = { yet: false };
      const tell = () => {
        if (!stopped.yet) listener();
      };
      const cancel = kernel.onKernel((bus) => {
        bus.watch(ledgerContract, 'jobs', tell);
        bus.watch(membershipContract, 'view', tell);
        bus.watch(groupsContract, 'view', tell);
      });
      return () => {
        stopped.yet = true;
        cancel();
      };
    },
    exportIdentity: async () => hexOf(unwrap(await unwrap(identity).exportSeed())),
    kept: world.store !== null && identity.ok && (imported !== null || identity.value.kept),
  });
  if (!site.ok) return kernel.failed(site.fault);
  if (!identity.ok) return kernel.failed(identity.fault);
  const { signer } = identity.value;
  const operator = operatorDesk(site.value.operator);
  const tokenOf = async (self: PeerId) => introductionToken(signer.identity, hexOf(await signer.sign(introductionProofBytes(self))));
  const start = (storage: Storage, profileRole: 'speaker' | 'second', before?: Storage) =>
    kernel.run(async () => {
      if (before !== undefined) await carryOver(before, storage);
      const directory = peerDirectory({ clock, random, url: directoryUrlOf(new URL(location.href)) });
      const server = peerServerAt(location);
      const platform: Platform = {
        clock,
        random,
        digest: webDigest,
        coder: codec.coder,
        signer,
        machine: bareMachine,
        sandbox: noSandbox,
        report,
        ...(operator && { operator }),
        storage,
        profileRole,
        transport: peerjsTransport({ clock, random, report, tokenOf, server, iceServers: site.value.iceServers, after: directory.begun }),
        directory,
      };
      return startKernel(platform, { bootDocument: site.value.bootDocument, network, ...(networkKey !== undefined && { networkKey }) });
    });
  /** What this page kept while another spoke. */
  let waited: Storage | undefined;
  const alone = () => void start((waited = memoryStorage(random)), 'second');
  const { store } = world;
  if (store === null) alone();
  else {
    electSpeaker(store, {
      onElected: () => {
        const before = waited;
        waited = undefined;
        const memory = before ?? memoryStorage(random);
        const onLate = (storage: Storage) => void start(storage, 'speaker', memory);
        void openStorage({ random, name: store, onLate }).then((opened) =>
          opened.ok ? start(opened.value, 'speaker', before) : start(memory, 'speaker'),
        );
      },
      onWaiting: alone,
      // A browser that keeps nothing for embedded pages may refuse them its locks as well.
      onLost: alone,
    });
  }
  addEventListener('pagehide', () => void kernel.stop());
  addEventListener('pageshow', (event) => event.persisted && location.reload());
}
