package contact

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	const opaque = "opaque row id, counter or time"
	of := func(kind string, c holding.Category, sealed bool, names ...string) []holding.Column {
		uses := Uses(kind)
		if len(uses) == 0 {
			uses = []string{kind}
		}
		var all []holding.Column
		for _, n := range names {
			all = append(all, holding.Column{Name: n, Category: c, Subject: "subject", Purposes: uses, Basis: holding.ByConsent, Retention: class, Sealed: sealed})
		}
		return all
	}
	whose := func(kind string) []holding.Column { return of(kind, holding.AccountName, false, "subject") }
	return []holding.Table{
		holding.Of("contact_phone", holding.None(opaque, "act", "at"), whose(Phone), of(Phone, holding.Phone, true, "number")),
		holding.Of("contact_qq", holding.None(opaque, "act", "at"), whose(QQ), of(QQ, holding.QQ, true, "number")),
		holding.Of("contact_region", holding.None(opaque, "act", "at"), whose(Region), of(Region, holding.Area, true, "place")),
		holding.Of("contact_code", holding.None(opaque, "act", "code", "tries", "at", "expires_at"), whose(Phone), of(Phone, holding.Phone, true, "number")),
		holding.Of("contact_asked", holding.None(opaque, "id", "at"), of(Phone, holding.Phone, true, "number")),
	}
}

// Held says which rows are a person's. Counters of codes hold keyed digests that
// lead to nobody and go within a day.
func Held() []holding.Held {
	of := func(table, column string) holding.Held {
		return holding.Held{
			Table: table, By: holding.ByHandle, Where: "subject = $1", Shows: []string{"at"}, Dated: "at",
			Opens: []holding.Opens{{Column: column, Row: "subject", Class: class, Suffix: "act"}},
		}
	}
	waits := of("contact_code", "number")
	waits.Opens, waits.Withheld = nil, map[string]string{"number": "a number that waits for its code, ten minutes at most"}
	return []holding.Held{of("contact_phone", "number"), of("contact_qq", "number"), of("contact_region", "place"), waits}
}
