package doctor

import (
	"fmt"
	"net/netip"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// Report is the findings as text that may be given to others: names, keys and
// addresses in it are replaced, each by the same word wherever it stands.
func Report(version string, lang i18n.Language, found []Check, private ...string) string {
	var b strings.Builder
	for _, c := range found {
		title, cause, _ := c.Sentences(lang)
		fmt.Fprintf(&b, "%-8s %s\n", c.State, title)
		if cause != "" {
			fmt.Fprintf(&b, "         %s\n", cause)
		}
		if c.Detail != "" {
			fmt.Fprintf(&b, "         (%s)\n", strings.ReplaceAll(c.Detail, "\n", "; "))
		}
		private = append(private, shown(c)...)
	}
	return fmt.Sprintf("skyconnect %s, %s/%s\n\n", version, runtime.GOOS, runtime.GOARCH) + Clean(b.String(), private...)
}

// shown are the words of a check that a stranger's certificate showed.
func shown(c Check) (all []string) {
	if trust.Remedy(c.Cause) == "" {
		return nil
	}
	for _, name := range []string{"host", "names", "issuer", "pin"} {
		if text, ok := c.With[name].(string); ok {
			all = append(all, text)
		}
	}
	return all
}

// Sentences are what was looked at, what is wrong and what helps; the latter are
// empty where nothing is.
func (c Check) Sentences(lang i18n.Language) (title, cause, remedy string) {
	title = i18n.Text(lang, "client.check."+c.ID, nil)
	if c.Cause == "" {
		return title, "", ""
	}
	if code := trust.Remedy(c.Cause); code != "" {
		return title, i18n.Text(lang, c.Cause, c.With), i18n.Text(lang, code, nil)
	}
	cause = i18n.Text(lang, "client.cause."+c.Cause, c.With)
	if code := "client.remedy." + c.Cause; i18n.Codes(lang)[code] != "" {
		remedy = i18n.Text(lang, code, c.With)
	}
	return title, cause, remedy
}

var (
	// address finds what may be one; whether it is, netip says.
	address = regexp.MustCompile(`[0-9A-Fa-f:.]*[0-9A-Fa-f]{1,4}[.:][0-9A-Fa-f:.]*[0-9A-Fa-f](?:/\d{1,3})?`)
	// hostName is a name of two labels at least that is no part of a path.
	hostName = regexp.MustCompile(`(^|[^\w./-])((?:[A-Za-z0-9_](?:[\w-]*\w)?\.)+[A-Za-z]{2,})\b`)
	pin      = regexp.MustCompile(`pin-sha256:[A-Za-z0-9+/=]+`)
)

// Clean replaces private words, such as the names of a server and an account,
// and every host name, pin and IP address.
func Clean(text string, private ...string) string {
	slices.SortFunc(private, func(a, b string) int { return len(b) - len(a) }) // a name within another comes later
	for i, word := range slices.Compact(private) {
		if len(word) > 1 {
			text = replaceFold(text, word, fmt.Sprintf("[name %d]", i+1))
		}
	}
	text = pin.ReplaceAllString(text, "[pin]")
	text = hostName.ReplaceAllString(text, "${1}[host]")
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
