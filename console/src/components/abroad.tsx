// The separate consent to a transfer abroad, where the profile of the installation has one: asked for
// before what needs it, once.

import { useState } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { Problem } from '../api/http';
import { complete, ConsentAct, noConsent, usePrompt } from './consent-act';
import { ErrorState } from './problem';

/** Only some profiles store or send data in another jurisdiction; the others have no such prompt. */
export function absent(error: unknown): boolean {
  return error instanceof Problem && (error.status === 403 || error.status === 404);
}

/** What stands between a person and a recipient abroad. give records the act, if it is still owed. */
export function useAbroad(recipient: string) {
  const purpose = `crossborder.${recipient}`;
  const client = useQueryClient();
  const prompt = usePrompt(purpose, recipient !== '');
  const acts = useQuery({ queryKey: ['consents', 'all'], queryFn: () => api.privacy.consents() });
  const [state, setState] = useState(noConsent);
  const newest = acts.data?.items
    .filter((c) => c.purpose === purpose)
    .toSorted((a, b) => (a.at < b.at ? 1 : -1))[0];
  const owed = recipient !== '' && !absent(prompt.error) && newest?.decision !== 'grant';
  return {
    prompt,
    acts,
    state,
    setState,
    owed,
    ready: !owed || (acts.isSuccess && complete(prompt.data, state)),
    give: async () => {
      if (!owed) return;
      await api.privacy.decide({ token: prompt.data?.token ?? '', decision: 'grant' });
      await client.invalidateQueries({ queryKey: ['consents'] });
    },
  };
}

/** The notice and its box; nothing where nothing is owed. */
export function Abroad({ abroad: a }: { abroad: ReturnType<typeof useAbroad> }) {
  const { t } = useTranslation();
  if (a.acts.isError) return <ErrorState error={a.acts.error} retry={() => void a.acts.refetch()} />;
  if (a.acts.isPending || !a.owed) return null;
  return (
    <section aria-label={t('consent.abroad')}>
      <ConsentAct prompt={a.prompt} value={a.state} onChange={a.setState} />
    </section>
  );
}
