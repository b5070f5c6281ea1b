package incident

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// class is the retention class of who was reached by an incident.
const class = "case"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	const (
		about = "what an incident is and how it was dealt with; its words name nobody"
		staff = "handle of a member of staff acting in office"
	)
	of := func(names ...string) (all []holding.Column) {
		for _, n := range names {
			all = append(all, holding.Column{Name: n, Category: holding.Case, Subject: "subject", Purposes: []string{"rights"}, Basis: holding.ByDuty, Retention: class})
		}
		return all
	}
	return []holding.Table{
		holding.Of("incident_incident", holding.None(about, "id", "kind", "state", "t0", "discovered_at", "told_at", "detected_by", "sensitive", "critical",
			"scope", "facts", "people", "counted_at", "raised", "owed_at", "opened_at", "handled_at", "closed_at", "version"), holding.None(staff, "opened_by")),
		holding.Of("incident_pass", holding.None(about, "incident", "number", "source", "argument", "from_at", "to_at", "done_at"),
			holding.None("how far a list was read; emptied at its end", "position")),
		holding.Of("incident_person", holding.None(about, "incident"), of("subject", "kind", "minor")),
		holding.Of("incident_clock", holding.None(about, "incident", "rule", "from_at", "due_at", "met_at", "waived_at", "missed_at")),
		holding.Of("incident_step", holding.None(about, "id", "incident", "step", "detail", "at"), holding.None(staff, "staff")),
		holding.Of("incident_notice", holding.None(about, "id", "incident", "number", "state", "cause_unknown", "words", "sha256", "written_at", "sent_at", "done_at",
			"version"), holding.None("how far a list was read; emptied at its end", "position"), holding.None(staff, "written_by", "sent_by")),
		holding.Of("incident_delivery", holding.None(about, "notice"), of("subject", "mail", "at", "seen_at", "reached_at")),
		holding.Of("incident_task", holding.None(about, "incident"), of("subject", "kind", "outcome", "reference", "made_at", "closed_at"), holding.None(staff, "closed_by")),
		holding.Of("incident_signature", holding.None(about, "incident", "reason", "at"), holding.None(staff, "staff")),
		holding.Of("incident_announcement", holding.None(about, "notice", "incident", "at"), holding.None(staff, "staff")),
		holding.Of("incident_report", holding.None(about, "incident", "version", "kind", "document", "sha256", "missing", "drafted_at", "sent_at", "reference"),
			holding.None(staff, "drafted_by", "sent_by")),
	}
}

// Held says which rows are a person's: that an incident reached them, and how
// they were told.
func Held() (all []holding.Held) {
	for _, t := range [][3]string{{"incident_task", "incident", "made_at"}, {"incident_delivery", "notice", "at"}, {"incident_person", "incident", ""}} {
		all = append(all, holding.Held{
			Table: t[0], By: holding.ByHandle, Where: "subject = $1", Shows: []string{t[1]}, Dated: t[2],
			Keeps: &holding.Keeps{Class: class, Law: "PIPL 57", Until: "close+3y"},
		})
	}
	return all
}
