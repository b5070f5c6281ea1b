import { createRoot } from 'react-dom/client';
import dayjs from 'dayjs';
import 'dayjs/locale/zh-cn';
import { App } from './app';
import { startI18n } from './lib/i18n';
import { initialPrefs } from './lib/settings';
import './styles.css';

const prefs = initialPrefs();
document.documentElement.lang = prefs.language;
dayjs.locale(prefs.language === 'zh-CN' ? 'zh-cn' : 'en');
await startI18n(prefs.language);

const root = document.getElementById('root');
if (root) createRoot(root).render(<App prefs={prefs} />);
