// The assistant: a list of rules that says where to find what, and a person behind it. Nothing that is
// typed is kept until it is handed over.

import { Alert, Button, Card, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { api } from '../api';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { useChange, useCreate } from '../lib/use';

export function Assistant() {
  const { t, i18n } = useTranslation();
  const [text, setText] = useState('');
  const look = useChange((q: string) => api.privacy.assist(q, i18n.language === 'en' ? 'en' : 'zh-CN'));
  const hand = useCreate(
    (words: string, key: string) => api.privacy.ask({ kind: 'question', words, channel: 'assistant' }, key),
    [['rights']],
  );
  const words = text.trim();
  return (
    <Page title={t('nav.assistant')} lead={t('assistant.lead')}>
      <div className="stack">
        <Input.TextArea
          aria-label={t('assistant.question')}
          placeholder={t('assistant.placeholder')}
          rows={3}
          maxLength={2000}
          value={text}
          onChange={(e) => setText(e.target.value)}
        />
        <div className="row">
          <Button
            type="primary"
            disabled={!words}
            loading={look.isPending}
            onClick={() => look.mutate(words)}
          >
            {t('assistant.ask')}
          </Button>
          <Button disabled={!words} loading={hand.isPending} onClick={() => hand.mutate(words)}>
            {t('assistant.hand_over')}
          </Button>
        </div>
        <ProblemAlert error={look.error ?? hand.error} />
        {hand.data ? (
          <Alert
            type="success"
            showIcon
            title={t('assistant.handed')}
            description={<Link to="/my-data?tab=requests">{t('assistant.see')}</Link>}
          />
        ) : null}
        <div className="stack" aria-live="polite">
          {look.data?.answers.map((a) => (
            <Card key={a.topic} size="small">
              <p style={{ margin: '0 0 8px' }}>{a.words}</p>
              {a.page ? <Link to={a.page}>{t('assistant.go')}</Link> : null}
            </Card>
          ))}
          {look.data?.answers.length === 0 ? <p>{t('assistant.none')}</p> : null}
        </div>
      </div>
    </Page>
  );
}
