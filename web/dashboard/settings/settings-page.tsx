import { useCallback, useEffect, useState } from 'react';
import { nameOf } from '../../kernel/lib/names.ts';
import { sentenceOf, useDeps } from '../shell/deps.ts';
import { Heading } from '../shell/router.tsx';
import { Notice } from '../shell/shell.tsx';
import { BringInCard, IdentityCard } from './identity-card.tsx';
import { NetworksCard } from './networks-card.tsx';
import type { IdentityState } from './source.ts';
import { headingOf } from './wording.ts';

export function SettingsPage() {
  const { profile } = useDeps();
  const [state, setState] = useState<IdentityState | null>(null);
  const [problem, setProblem] = useState('');
  const read = useCallback(() => {
    profile.identity().then(setState, (error: unknown) => setProblem(sentenceOf(error)));
  }, [profile]);
  useEffect(read, [read]);
  return (
    <>
      <div className="page-head">
        <div>
          <Heading title="Settings">{headingOf(state === null ? null : nameOf(state.identity), profile.network)}</Heading>
          <p className="mute">Who you are and which network you are in is the same for all tabs of this browser.</p>
        </div>
      </div>
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
      <div className="settings">
        <div className="job-column">
          <IdentityCard state={state} onChange={read} />
          <BringInCard state={state} />
        </div>
        <div className="job-column">
          <NetworksCard />
        </div>
      </div>
    </>
  );
}
