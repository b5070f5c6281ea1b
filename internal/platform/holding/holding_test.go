package holding

import (
	"strings"
	"testing"
)

func TestEveryDifferenceIsNamed(t *testing.T) {
	t.Parallel()
	good := Of("m_person", None("an opaque row id", "id"),
		[]Column{{Name: "mail", Category: Email, Subject: "id", Purposes: []string{"account"}, Basis: ByContract, Retention: "account_core", Sealed: true}})
	live := map[string][]string{"m_person": {"id", "mail"}}
	cases := []struct {
		name      string
		described []Table
		live      map[string][]string
		want      string
	}{
		{"all described", []Table{good}, live, ""},
		{"a new column", []Table{good}, map[string][]string{"m_person": {"id", "mail", "phone"}}, "m_person.phone is not classified"},
		{"a new table", []Table{good}, map[string][]string{"m_person": {"id", "mail"}, "m_new": {"id"}}, "m_new is not classified"},
		{"a column that went", []Table{good}, map[string][]string{"m_person": {"id"}}, "m_person.mail is described and does not exist"},
		{"a table that went", []Table{good, {Name: "m_old"}}, live, "m_old is described and does not exist"},
		{"a short reason", []Table{Of("m_person", None("no", "id"), good.Columns[1:])}, live, "shorter than 10"},
		{"no basis", []Table{Of("m_person", good.Columns[:1], []Column{{Name: "mail", Category: Email, Subject: "id", Purposes: []string{"x"}, Retention: "order"}})}, live, "basis"},
		{"no such class", []Table{Of("m_person", good.Columns[:1], []Column{{Name: "mail", Category: Email, Subject: "id", Purposes: []string{"x"}, Basis: ByDuty, Retention: "for ever"}})}, live, "not a retention class"},
		{"described twice", []Table{good, good}, live, "described twice"},
	}
	for _, c := range cases {
		err := Verify(c.described, c.live)
		if (c.want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}
