package doctor

import (
	"fmt"
	"net/netip"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// Report is the findings as text that may be given to others: names and
// addresses in it are replaced, each by the same word wherever it stands.
func Report(version string, lang i18n.Language, found []Check, private ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "skyconnect %s, %s/%s\n\n", version, runtime.GOOS, runtime.GOARCH)
	for _, c := range found {
		fmt.Fprintf(&b, "%-8s %s\n", c.State, i18n.Text(lang, "client.check."+c.ID, nil))
		if c.Cause != "" {
			fmt.Fprintf(&b, "         %s\n", i18n.Text(lang, "client.cause."+c.Cause, c.With))
		}
		if c.Detail != "" {
			fmt.Fprintf(&b, "         (%s)\n", strings.ReplaceAll(c.Detail, "\n", "; "))
		}
	}
	return Clean(b.String(), private...)
}

// Sentences are what was looked at, what is wrong and what helps; the latter are
// empty where nothing is.
func (c Check) Sentences(lang i18n.Language) (title, cause, remedy string) {
	title = i18n.Text(lang, "client.check."+c.ID, nil)
	if c.Cause == "" {
		return title, "", ""
	}
	cause = i18n.Text(lang, "client.cause."+c.Cause, c.With)
	if code := "client.remedy." + c.Cause; i18n.Codes(lang)[code] != "" {
		remedy = i18n.Text(lang, code, c.With)
	}
	return title, cause, remedy
}

// address finds what may be one; whether it is, netip says.
var address = regexp.MustCompile(`[0-9A-Fa-f:.]*[0-9A-Fa-f]{1,4}[.:][0-9A-Fa-f:.]*[0-9A-Fa-f](?:/\d{1,3})?`)

// Clean replaces private words, such as the names of a server and an account,
// and every IP address.
func Clean(text string, private ...string) string {
	slices.SortFunc(private, func(a, b string) int { return len(b) - len(a) }) // a name within another comes later
	for i, word := range private {
		if len(word) > 1 {
			text = replaceFold(text, word, fmt.Sprintf("[name %d]", i+1))
		}
	}
	seen := map[string]string{}
	return address.ReplaceAllStringFunc(text, func(s string) string {
		bare, _, _ := strings.Cut(s, "/")
		host, port := bare, ""
		a, err := netip.ParseAddr(host)
		if err != nil {
			if ap, e := netip.ParseAddrPort(bare); e == nil {
				a, port, err = ap.Addr(), fmt.Sprintf(":%d", ap.Port()), nil
			}
		}
		if err != nil {
			return s
		}
		if seen[a.String()] == "" {
			seen[a.String()] = fmt.Sprintf("[address %d]", len(seen)+1)
		}
		return seen[a.String()] + port
	})
}

func replaceFold(text, word, with string) string {
	return regexp.MustCompile(`(?i)`+regexp.QuoteMeta(word)).ReplaceAllLiteralString(text, with)
}
