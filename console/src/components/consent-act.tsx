// An explicit act: the notice as the API gives it, a box that is never ticked beforehand, one purpose.

import { Checkbox, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { ConsentPrompt } from '../api/types';
import { ErrorState } from './problem';
import { PolicyHTML } from './html';

/** A prompt is for one act: it is asked for anew each time a page needs one. */
export function usePrompt(purpose: string, enabled = true) {
  return useQuery({
    queryKey: ['prompt', purpose],
    queryFn: () => api.privacy.prompt(purpose),
    enabled,
    staleTime: 20 * 60_000, // of the token's 30 minutes
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
}

export interface ConsentState {
  agreed: boolean;
}

export const noConsent: ConsentState = { agreed: false };

/** Whether the act is complete for its prompt. */
export function complete(prompt: ConsentPrompt | undefined, state: ConsentState): boolean {
  return Boolean(prompt) && state.agreed;
}

interface Props {
  prompt: ReturnType<typeof usePrompt>;
  value: ConsentState;
  onChange: (value: ConsentState) => void;
  /** Show the notice, not only the boxes. */
  notice?: boolean;
  /** The sentence does not state adulthood: a minor acts, or somebody for a child. */
  minor?: boolean;
}

export function ConsentAct({ prompt, value, onChange, notice = true, minor = false }: Props) {
  const { t } = useTranslation();
  if (prompt.isPending) return <Skeleton active paragraph={{ rows: 2 }} title={false} />;
  if (prompt.isError) return <ErrorState error={prompt.error} retry={() => void prompt.refetch()} />;
  const p = prompt.data;
  return (
    <div className="stack" style={{ gap: 10 }}>
      {notice ? <PolicyHTML html={p.notice} scroll lang={p.locale} /> : null}
      <Checkbox checked={value.agreed} onChange={(e) => onChange({ agreed: e.target.checked })}>
        {t(p.adult && !minor ? 'consent.adult_agree_before' : 'consent.agree_before')}
        <Link to={`/policies/${p.document}`} target="_blank" rel="noopener">
          {t('consent.quoted', { title: p.title })}
        </Link>
        {t('consent.agree_version', { version: p.version })}
      </Checkbox>
    </div>
  );
}
