package api

import (
	"strings"

	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// fieldTexts are the library's messages about one field and the codes of our
// sentences. What follows the part before the verb is the sentence's value: a
// bound or a name of the description, never what the caller sent.
var fieldTexts = []struct{ message, code string }{
	{validation.MsgUnexpectedProperty, "api.field_unknown"},
	{"unknown query parameter", "api.field_unknown"},
	{validation.MsgExpectedRequiredProperty, "api.field_required"},
	{"required header parameter is missing", "api.field_missing"},
	{"required query parameter is missing", "api.field_missing"},
	{"request body is required", "api.field_missing"},
	{validation.MsgExpectedOneOf, "api.field_one_of"},
	{validation.MsgExpectedMinLength, "api.field_too_short"},
	{validation.MsgExpectedMaxLength, "api.field_too_long"},
	{validation.MsgExpectedMinItems, "api.field_too_few"},
	{validation.MsgExpectedMaxItems, "api.field_too_many"},
	{validation.MsgExpectedMinimumNumber, "api.field_too_small"},
	{validation.MsgExpectedMaximumNumber, "api.field_too_large"},
}

// fieldText says in a language what is wrong with a field.
func fieldText(lang i18n.Language, message string) string {
	for _, t := range fieldTexts {
		before, _, _ := strings.Cut(t.message, "%")
		if rest, ok := strings.CutPrefix(message, strings.TrimRight(before, `"`)); ok {
			value := strings.Trim(strings.TrimSuffix(rest, " to be present"), `" `)
			return i18n.Text(lang, t.code, map[string]any{"value": value})
		}
	}
	return i18n.Text(lang, "api.field_wrong", nil)
}
