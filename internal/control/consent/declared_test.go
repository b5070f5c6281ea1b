package consent

import (
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

// TestNothingIsKeptThatTheTextDoesNotSay holds LT-1.1d, LT-1.2, LT-1.2b, LT-1.3b, LT-5.2b
// and SUP-6: a table that knows more than the text is refused.
func TestNothingIsKeptThatTheTextDoesNotSay(t *testing.T) {
	t.Parallel()
	column := func(name string, c holding.Category, retention, purpose string, sealed bool) holding.Column {
		return holding.Column{Name: name, Category: c, Subject: "subject", Purposes: []string{purpose}, Basis: holding.ByContract, Retention: retention, Sealed: sealed}
	}
	for name, c := range map[string]struct {
		table  string
		column holding.Column
		want   string // part of what is said; empty: taken
	}{
		"an address of mail, sealed":     {"account_person", column("email", holding.Email, "account_core", "verify", true), ""},
		"a face":                         {"account_person", column("face", "id.face", "optional", "account", true), "id.face is collected"},
		"a number for incidents":         {"contact_phone", column("number", holding.Phone, "optional", "phone.security", true), ""},
		"a number in clear":              {"contact_phone", column("number", holding.Phone, "optional", "phone.security", false), "contact.phone is not sealed"},
		"a number to sell by":            {"contact_phone", column("number", holding.Phone, "optional", "service_change", true), "contact.phone serves service_change"},
		"a QQ number of an account":      {"contact_qq", column("number", holding.QQ, "optional", "account", true), "contact.qq serves account"},
		"a place for prices":             {"contact_region", column("place", holding.Area, "optional", "order", true), "contact.region serves order"},
		"a purpose that nobody declared": {"account_person", column("email", holding.Email, "account_core", "marketing", true), "serves marketing"},
		"an identity number in clear":    {"realname_verification", column("number", holding.IDNumber, "realname_value", "realname", false), "id.number is not sealed"},
		"a log for optimisation":         {"account_access", column("detail", holding.NetPage, "access_log", "provision", true), "a log that serves provision"},
		"a log for abuse":                {"account_access", column("detail", holding.NetPage, "access_log", "anti_abuse", true), ""},
		"an order for a profile":         {"order_line", column("region", holding.Order, "order", "provision", false), "an order that serves provision"},
		"a session's destination":        {"fleet_session", column("destination", holding.NetSession, "vpn_session", "vpn_session", false), "not this"},
		"a session's end":                {"fleet_session", column("ended_at", holding.NetSession, "vpn_session", "vpn_session", false), ""},
	} {
		for _, profile := range profiles {
			err := Declared(profile, []holding.Table{holding.Of(c.table, []holding.Column{c.column})})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s, %s: got %v, want %q", name, profile, err, c.want)
			}
		}
	}
}
