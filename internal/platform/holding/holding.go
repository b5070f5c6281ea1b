// Package holding is how modules say what each of their columns holds, the
// data map of clause group SCHEMA (privacy policy registry), and which rows are
// a person's: what a copy shows and an erasure deletes.
//
// Every table and every column of every module is described, personal or not.
// The process compares the description with the live schema before it listens
// and refuses to start where they differ.
package holding

// Table describes one table.
type Table struct {
	Name    string
	Columns []Column
}

// Column describes one column. A column that is not personal says why; a
// personal one names category, whose it is, what for, on what basis and how
// long.
type Column struct {
	Name      string
	Why       string   // for columns that are not personal: the reason, 10 characters or more
	Category  Category // empty = not personal
	Subject   string   // column that holds the person's handle, or account
	Purposes  []string // closed list of the consent module
	Basis     Basis
	Retention string // retention class, of package retention
	Sealed    bool   // ciphertext of platform/vault, or an irreversible hash
}

// Category is a kind of personal data.
type Category string

// Categories of personal data. IDNumber is sensitive.
const (
	AccountName   Category = "account.name"
	AccountSecret Category = "account.secret"
	Certificate   Category = "cert"
	Email         Category = "contact.email"
	Phone         Category = "contact.phone"
	QQ            Category = "contact.qq"
	Area          Category = "contact.region"
	IDName        Category = "id.name"
	IDNumber      Category = "id.number"
	IDResult      Category = "id.result"
	AgeBand       Category = "age.band"
	Guardian      Category = "guardian"
	NetIP         Category = "net.ip"
	NetUserAgent  Category = "net.useragent"
	NetPage       Category = "net.page"
	NetSession    Category = "net.session"
	Order         Category = "order"
	PayResult     Category = "pay.result"
	TicketText    Category = "ticket.text"
	Consent       Category = "consent"
	Case          Category = "case"
)

// Categories lists all of them.
func Categories() []Category {
	return []Category{
		AccountName, AccountSecret, Certificate, Email, Phone, QQ, Area, IDName, IDNumber, IDResult, AgeBand, Guardian, NetIP, NetUserAgent,
		NetPage, NetSession, Order, PayResult, TicketText, Consent, Case,
	}
}

// Basis is the legal basis of processing (PIPL 13).
type Basis string

// Bases.
const (
	ByConsent   Basis = "consent"
	ByContract  Basis = "contract"
	ByDuty      Basis = "duty"
	ByEmergency Basis = "emergency"
	ByPublic    Basis = "public"
	ByOtherLaw  Basis = "other_law"
)

// None describes columns that are not personal, all for the same reason.
func None(why string, names ...string) []Column {
	all := make([]Column, 0, len(names))
	for _, n := range names {
		all = append(all, Column{Name: n, Why: why})
	}
	return all
}

// Of joins groups of columns into a table's description.
func Of(table string, groups ...[]Column) Table {
	t := Table{Name: table}
	for _, g := range groups {
		t.Columns = append(t.Columns, g...)
	}
	return t
}
