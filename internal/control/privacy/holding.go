package privacy

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	in := func(retention string, c holding.Category, sealed bool, names ...string) (all []holding.Column) {
		for _, n := range names {
			all = append(all, holding.Column{
				Name: n, Category: c, Subject: "subject", Purposes: []string{"rights"}, Basis: holding.ByDuty, Retention: retention, Sealed: sealed,
			})
		}
		return all
	}
	of := func(c holding.Category, sealed bool, names ...string) []holding.Column {
		return in(class, c, sealed, names...)
	}
	return []holding.Table{
		holding.Of("privacy_request", of(holding.Case, false, "subject", "account", "kind", "special", "decision", "reason", "law"), of(holding.TicketText, true, "words", "letter"),
			holding.None("how a request was dealt with", "id", "channel", "addressed", "state", "identity", "letter_digest", "received_at", "answered_at", "closed_at", "version", "key_case")),
		holding.Of("privacy_mail", of(holding.Case, false, "subject"), of(holding.TicketText, true, "content"), of(holding.Email, true, "sender"),
			holding.None("that a mail was taken, once, and of which case it is", "id", "channel", "kind", "digest", "message", "request", "reply", "at", "key_case")),
		holding.Of("privacy_mailbox", holding.None("how far a mailbox was read", "channel", "validity", "uid")),
		holding.Of("privacy_channel", holding.None("whether a channel for requests works", "id", "since", "tried_at", "beat_at", "problem")),
		holding.Of("privacy_link", holding.None("a one-time link: digest of its token, and the member of staff who made it", "token", "made_by", "made_at", "until", "used_at", "request")),
		holding.Of("privacy_copy", in(erasable, holding.Case, false, "subject", "account"), in(erasable, holding.Case, true, "content"),
			holding.None("how far a copy is, and how large", "request", "state", "size", "digest", "asked_at", "made_at", "until", "fetched_at")),
		holding.Of("privacy_arrangement", in(erasable, holding.Case, false, "subject"), in(erasable, holding.TicketText, true, "words"),
			holding.None("when it was written", "at")),
		holding.Of("privacy_clock", holding.None("when a request is due, and by which rule", "request", "rule", "due_at", "provisional", "met_at")),
		holding.Of("privacy_retention", holding.None("sums of a nightly run over everybody", "run", "class", "at", "examined", "destroyed", "held", "overdue", "problem")),
		holding.Of("privacy_guardian", []holding.Column{{
			Name: "child", Category: holding.Guardian, Subject: "child", Purposes: []string{"rights"}, Basis: holding.ByDuty, Retention: "case",
		}}, holding.None("whose proof was seen by whom, and its digest", "request", "child_account", "document", "seen_by", "seen_at", "confirmed_by", "confirmed_at")),
		holding.Of("privacy_correction", in(erasable, holding.Case, false, "subject", "fields", "at"), holding.None("opaque row id", "id")),
		holding.Of("privacy_correction_task", in(erasable, holding.Case, false, "subject", "fields", "receipt"),
			holding.None("which recipient was told of a correction, how and when", "id", "correction", "recipient", "legal_name", "via", "at", "due_at", "shown_from", "told_at", "told_by")),
		holding.Of("privacy_hold", of(holding.Case, false, "subject"), holding.None("what the law has us keep, and until when",
			"id", "class", "law", "authority", "placed_by", "placed_at", "until", "ended_by", "ended_at")),
	}
}
