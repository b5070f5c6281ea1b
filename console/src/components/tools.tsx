import { Button, Dropdown } from 'antd';
import { BulbOutlined, MoonOutlined, SunOutlined, TranslationOutlined } from '@ant-design/icons';
import { useTranslation } from 'react-i18next';
import { themes } from '../lib/prefs';
import { useSettings } from '../lib/settings';
import { useNarrow } from '../lib/media';

export function LanguageButton() {
  const { t } = useTranslation();
  const narrow = useNarrow();
  const { language, setLanguage } = useSettings();
  return (
    <Button
      type="text"
      icon={<TranslationOutlined />}
      aria-label={t('frame.language')}
      onClick={() => setLanguage(language === 'zh-CN' ? 'en' : 'zh-CN')}
    >
      {narrow ? null : t('frame.other_language')}
    </Button>
  );
}

export function ThemeButton() {
  const { t } = useTranslation();
  const { theme, dark, setTheme } = useSettings();
  const icons = { auto: <BulbOutlined />, light: <SunOutlined />, dark: <MoonOutlined /> };
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        selectable: true,
        selectedKeys: [theme],
        items: themes.map((name) => ({ key: name, icon: icons[name], label: t(`frame.theme_${name}`) })),
        onClick: ({ key }) => setTheme(themes.find((name) => name === key) ?? 'auto'),
      }}
    >
      <Button type="text" icon={dark ? <MoonOutlined /> : <SunOutlined />} aria-label={t('frame.theme')} />
    </Dropdown>
  );
}
