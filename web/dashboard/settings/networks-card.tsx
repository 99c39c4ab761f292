import { useId, useState } from 'react';
import { networkTitleCharsMax, networkTitleOf, type KnownNetwork } from '../../kernel/lib/invite.ts';
import { CopyButton } from '../data/copy-button.tsx';
import { Confirm } from '../pieces/confirm.tsx';
import { MakeForm } from '../pieces/make-form.tsx';
import { Pill } from '../pieces/pieces.tsx';
import { useDeps } from '../shell/deps.ts';
import { MoveDialog } from './move-dialog.tsx';
import { titleOf } from './wording.ts';

type Asked =
  | { readonly what: 'move'; readonly to: KnownNetwork | null; readonly title: string; readonly action: string }
  | { readonly what: 'forget'; readonly network: KnownNetwork };

/** Where this browser is, how others are let in, and where else it may go. */
export function NetworksCard() {
  const { profile } = useDeps();
  const [networks, setNetworks] = useState(() => profile.networks());
  const [asked, setAsked] = useState<Asked | null>(null);
  const stop = () => setAsked(null);
  const here = profile.network;
  const move = (to: KnownNetwork | null) => setAsked({ what: 'move', to, title: `Go to ${titleOf(to)}?`, action: 'Go there' });
  return (
    <section className="card stack" aria-label="Networks">
      <h2>Networks</h2>
      <p className="sm">
        A private network is a key. Groups form only among those who have it: nobody else sees its jobs, its data or who is there.
        Everything that works in the public network works there too. Whether this browser donates, with what limits and how much space, is
        chosen for each network by itself.
      </p>
      <ul className="rows" aria-label="Networks this browser knows">
        <Row network={null} here={here === null} onMove={() => move(null)} />
        {networks.map((network) => (
          <Row
            key={network.network}
            network={network}
            here={here?.network === network.network}
            onMove={() => move(network)}
            onForget={() => setAsked({ what: 'forget', network })}
          />
        ))}
      </ul>
      {here === null ? null : (
        <p className="sm mute">
          Whoever has the invite link can join and invite others, and nobody can be turned out again: for that, make a new network and
          invite anew.{' '}
          <button
            type="button"
            className="link"
            onClick={() => setAsked({ what: 'move', to: null, title: `Leave ${titleOf(here)}?`, action: 'Leave' })}
          >
            Leave for the public network
          </button>
        </p>
      )}
      <MakeNetwork
        onMade={(to) => setAsked({ what: 'move', to, title: `Make ${titleOf(to)} and go there?`, action: 'Make and go there' })}
      />
      {asked?.what === 'move' ? <MoveDialog to={asked.to} title={asked.title} action={asked.action} onNo={stop} /> : null}
      {asked?.what === 'forget' ? (
        <Confirm
          title={`Forget ${titleOf(asked.network)}?`}
          action="Forget"
          yes={async () => {
            await profile.forget(asked.network);
            stop();
            setNetworks(profile.networks());
          }}
          onNo={stop}
        >
          <p className="sm">
            Its key and all that this browser keeps for it are deleted here. Without an invite link you cannot come back; if nobody else has
            the key, what is in the network is lost.
          </p>
        </Confirm>
      ) : null}
    </section>
  );
}

function Row({
  network,
  here,
  onMove,
  onForget,
}: {
  network: KnownNetwork | null;
  here: boolean;
  onMove: () => void;
  onForget?: () => void;
}) {
  const { profile } = useDeps();
  const id = useId();
  const title = network === null ? 'The public network' : titleOf(network);
  return (
    <li className="between">
      <span id={id} className="network-title" aria-current={here ? 'true' : undefined}>
        <b>{title}</b> {here ? <Pill tone="tide">you are here</Pill> : null}
      </span>
      <span className="row-actions">
        {network === null ? null : <CopyButton label="Copy invite link" text={profile.linkOf(network)} describedBy={id} />}
        {here ? null : (
          <button type="button" className="btn ghost small" aria-describedby={id} onClick={onMove}>
            Go there
          </button>
        )}
        {here || onForget === undefined ? null : (
          <button type="button" className="btn ghost small" aria-describedby={id} onClick={onForget}>
            Forget
          </button>
        )}
      </span>
    </li>
  );
}

function MakeNetwork({ onMade }: { onMade: (network: KnownNetwork) => void }) {
  const { profile } = useDeps();
  return (
    <MakeForm
      label="Make a private network"
      placeholder="a class, a lab, a family"
      hint="Its name stays in this browser and in your invite links; the server learns neither it nor the key."
      maxLength={networkTitleCharsMax}
      isName={(name) => networkTitleOf(name) !== ''}
      make={async (name) => onMade(await profile.make(name))}
    />
  );
}
