// Codes that stand in for those of a token, each once.

import { Alert, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { saveFile } from '../lib/csv';
import { CopyText } from './copy-text';

/** Shown once, to be kept: copied or saved as a file. */
export function RecoveryCodes({ title, codes }: { title: string; codes: string[] }) {
  const { t } = useTranslation();
  return (
    <Alert
      type="success"
      showIcon
      title={title}
      description={
        <div className="stack">
          <span>{t('totp.recovery')}</span>
          <div className="choices mono">
            {codes.map((code) => (
              <span key={code}>{code}</span>
            ))}
          </div>
          <div className="row">
            <CopyText text={codes.join('\n')} shown={t('totp.copy_all')} />
            <Button
              size="small"
              onClick={() => saveFile('recovery-codes.txt', `${codes.join('\n')}\n`, 'text/plain')}
            >
              {t('policy.download')}
            </Button>
          </div>
        </div>
      }
    />
  );
}
