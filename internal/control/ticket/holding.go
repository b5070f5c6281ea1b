package ticket

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	const (
		opaque = "opaque row id, counter or time"
		how    = "how a ticket was dealt with"
		office = "handle of a member of staff acting in office"
		form   = "what a file's bytes are"
	)
	of := func(c holding.Category, sealed bool, names ...string) (all []holding.Column) {
		for _, n := range names {
			all = append(all, holding.Column{
				Name: n, Category: c, Subject: "subject", Purposes: []string{purpose}, Basis: holding.ByContract, Retention: class, Sealed: sealed,
			})
		}
		return all
	}
	whose := of(holding.AccountName, false, "subject")
	return []holding.Table{
		holding.Of("ticket_ticket", holding.None(opaque, "id", "resource", "follows", "request", "opened_at", "changed_at", "due_at", "left_micros", "reminded_at",
			"closed_at", "version"), holding.None(how, "department", "priority", "state"), holding.None(office, "assignee"),
			of(holding.AccountName, false, "account", "subject"), of(holding.TicketText, true, "title")),
		holding.Of("ticket_message", holding.None(opaque, "id", "ticket", "at"), holding.None(office, "staff"), whose, of(holding.TicketText, true, "words")),
		holding.Of("ticket_note", holding.None(opaque, "id", "ticket", "at"), holding.None(office, "staff"), whose, of(holding.TicketText, true, "words")),
		holding.Of("ticket_file", holding.None(opaque, "id", "ticket", "at", "size", "quarantined"), holding.None(form, "media"),
			holding.None(office, "staff", "released_by"), whose, of(holding.TicketText, true, "name", "content")),
		holding.Of("ticket_canned", holding.None("words of the operator about nobody", "id", "department", "title", "chinese", "english", "changed_at"),
			holding.None(office, "changed_by")),
	}
}

// Held says which rows are a person's. Notes of staff are about the person: a copy
// has them.
func Held() []holding.Held {
	of := func(table, where string, opens ...string) holding.Held {
		h := holding.Held{Table: table, By: holding.ByHandle, Where: "subject = $1", Shows: []string{"ticket", "at"}, Dated: "at"}
		for _, column := range opens {
			h.Opens = append(h.Opens, holding.Opens{Column: column, Row: "id", Class: class, Suffix: where})
		}
		return h
	}
	thread := of("ticket_ticket", "id", "title")
	thread.Shows, thread.Dated = []string{"id", "department", "priority", "resource", "state", "opened_at", "closed_at"}, "opened_at"
	kept := of("ticket_file", "ticket", "name")
	kept.Shows = []string{"ticket", "media", "size", "at"}
	kept.Withheld = map[string]string{"content": "the file itself, which its person fetches from the page of the ticket"}
	return []holding.Held{of("ticket_message", "ticket", "words"), of("ticket_note", "ticket", "words"), kept, thread}
}
