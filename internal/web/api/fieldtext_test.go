package api

import (
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

func TestAFieldsProblemIsSaidInTheCallersLanguage(t *testing.T) {
	t.Parallel()
	cases := []struct{ message, en, zh string }{
		{"unexpected property", "This field is not known here.", "此处没有这个字段。"},
		{"expected required property user_name to be present", "user_name is needed.", "缺少 user_name。"},
		{"required header parameter is missing", "This is needed.", "此项必填。"},
		{`expected value to be one of "grant, refuse"`, "One of these is needed: grant, refuse.", "请从以下取值中选择：grant, refuse。"},
		{"expected length >= 3", "At least 3 characters are needed.", "至少需要 3 个字符。"},
		{"expected number <= 120", "At most 120 is allowed.", "不得大于 120。"},
		{"expected string", "The value has not the form that is needed here.", "取值的格式不正确。"},
		{"invalid character 'x' looking for a value", "The value has not the form that is needed here.", "取值的格式不正确。"},
	}
	for _, c := range cases {
		if got := fieldText(i18n.English, c.message); got != c.en {
			t.Errorf("%s: got %q, want %q", c.message, got, c.en)
		}
		if got := fieldText(i18n.Chinese, c.message); got != c.zh {
			t.Errorf("%s: got %q, want %q", c.message, got, c.zh)
		}
	}
}
