// The look: one accent, neutrals from antd, and green, amber and red for states only. Written once
// for antd and once, in styles.css, for what is our own.

import { theme as antd, type ThemeConfig } from 'antd';

const family = [
  '-apple-system',
  'BlinkMacSystemFont',
  '"Segoe UI"',
  '"PingFang SC"',
  '"Microsoft YaHei"',
  '"Noto Sans CJK SC"',
  '"Noto Sans"',
  'sans-serif',
].join(', ');

export const monospace =
  'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Noto Sans Mono CJK SC", monospace';

export const accent = { light: '#1668dc', dark: '#3c89e8' };

export function themeConfig(dark: boolean, still: boolean): ThemeConfig {
  return {
    algorithm: dark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    cssVar: { key: 'sb' },
    token: {
      motion: !still,
      colorPrimary: dark ? accent.dark : accent.light,
      colorError: dark ? '#f0686a' : '#cf1322',
      colorInfo: dark ? accent.dark : accent.light,
      colorLink: dark ? '#5b9ff0' : accent.light,
      fontFamily: family,
      fontFamilyCode: monospace,
      fontSize: 14,
      borderRadius: 6,
      // antd's own greys for secondary text miss WCAG's 4.5:1 on tinted ground.
      colorTextSecondary: dark ? 'rgba(255,255,255,0.70)' : 'rgba(0,0,0,0.66)',
      colorTextTertiary: dark ? 'rgba(255,255,255,0.62)' : 'rgba(0,0,0,0.60)',
      colorTextDescription: dark ? 'rgba(255,255,255,0.66)' : 'rgba(0,0,0,0.62)',
      colorTextPlaceholder: dark ? 'rgba(255,255,255,0.55)' : 'rgba(0,0,0,0.56)',
      colorBgLayout: dark ? '#0f1318' : '#f4f6f9',
      colorBgContainer: dark ? '#171c23' : '#ffffff',
      colorBgElevated: dark ? '#1d232b' : '#ffffff',
    },
    components: {
      Layout: { headerHeight: 56, headerPadding: '0 16px' },
      Button: dark ? { colorError: '#f27d7d', colorErrorHover: '#f59a9a' } : {},
      Menu: {
        ...(dark ? { itemSelectedColor: '#9cc4f7', itemSelectedBg: '#1b2d45' } : {}),
        itemBorderRadius: 6,
        itemHeight: 38,
        activeBarBorderWidth: 0,
        groupTitleFontSize: 12,
      },
      Tabs: dark
        ? {
            itemSelectedColor: '#9cc4f7',
            itemHoverColor: '#9cc4f7',
            itemActiveColor: '#9cc4f7',
            inkBarColor: '#9cc4f7',
          }
        : {},
      Table: { headerBorderRadius: 6, cellPaddingBlock: 11 },
      Card: { headerFontSize: 15 },
    },
  };
}
