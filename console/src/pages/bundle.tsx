// The page of a link by which the person behind an SSL client fetches its bundle. It needs no account,
// and nothing is fetched before a click: what previews links opens them too.

import { useState } from 'react';
import { Button } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { GateLayout } from '../components/gate-layout';
import { ProblemAlert } from '../components/problem';
import { saveFile } from '../lib/csv';
import { useChange } from '../lib/use';
import { useLinkToken } from '../lib/token';

export function BundlePage() {
  const token = useLinkToken();
  // Another link begins anew.
  return <Fetch key={token} token={token} />;
}

function Fetch({ token }: { token: string }) {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  const fetch = useChange(async () => {
    saveFile('skybridge-vpn.zip', await api.vpn.fetchBundle(token), 'application/zip');
    setDone(true);
  });
  const lead = done ? 'bundle.done_text' : token ? 'bundle.lead' : 'bundle.no_token';
  return (
    <GateLayout title={t(done ? 'bundle.done' : 'bundle.title')} lead={t(lead)}>
      <div className="stack">
        <ProblemAlert error={fetch.error} />
        {token && !done ? (
          <Button
            type="primary"
            size="large"
            block
            icon={<DownloadOutlined />}
            loading={fetch.isPending}
            onClick={() => fetch.mutate(undefined)}
          >
            {t('bundle.fetch')}
          </Button>
        ) : null}
      </div>
    </GateLayout>
  );
}
