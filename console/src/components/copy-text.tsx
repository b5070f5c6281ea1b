import { useEffect, useState } from 'react';
import { Button, Tooltip } from 'antd';
import { CheckOutlined, CopyOutlined } from '@ant-design/icons';
import { useTranslation } from 'react-i18next';

interface Props {
  text: string;
  shown?: string;
  wrap?: boolean;
}

/** An address, key or id in monospace with a button that copies it. */
export function CopyText({ text, shown, wrap }: Props) {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return undefined;
    const timer = setTimeout(() => setDone(false), 1600);
    return () => clearTimeout(timer);
  }, [done]);
  if (!text) return <span className="quiet">–</span>;
  return (
    <span className={wrap ? 'copy wrap' : 'copy'}>
      <span className="mono" title={text}>
        {shown ?? text}
      </span>
      <Tooltip title={done ? t('common.copied') : t('common.copy')}>
        <Button
          type="text"
          size="small"
          aria-label={`${t('common.copy')} ${shown ?? text}`}
          icon={done ? <CheckOutlined /> : <CopyOutlined />}
          onClick={(event) => {
            event.stopPropagation();
            event.preventDefault();
            void navigator.clipboard.writeText(text).then(() => setDone(true));
          }}
        />
      </Tooltip>
    </span>
  );
}
