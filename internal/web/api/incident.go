package api

import (
	"context"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/incident"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// IncidentQuery says whom an incident reaches.
type IncidentQuery struct {
	Kind     string     `json:"kind" enum:"everyone,accounts,logins,tunnels,stores" doc:"stores: it is not known who; everybody of the stores that were reached, of all if none is named"`
	Accounts []string   `json:"accounts,omitempty" maxItems:"200" doc:"Of accounts"`
	From     *time.Time `json:"from,omitempty" doc:"Of logins and tunnels"`
	To       *time.Time `json:"to,omitempty" doc:"Not included"`
	Stores   []string   `json:"stores,omitempty" maxItems:"5" enum:"main,keys,backup,logs,gateways"`
}

// NewIncident is what staff know when they open an incident.
type NewIncident struct {
	Kind         string          `json:"kind" enum:"leak,tampering,loss,flaw"`
	DiscoveredAt *time.Time      `json:"discovered_at,omitempty"`
	ToldAt       *time.Time      `json:"told_at,omitempty" doc:"When somebody told us. The earlier of both starts the clocks"`
	DetectedBy   string          `json:"detected_by" enum:"staff,monitoring,person,supplier,authority,researcher"`
	Sensitive    bool            `json:"sensitive,omitempty" doc:"Sensitive personal data are among what was reached"`
	Critical     bool            `json:"critical,omitempty" doc:"Critical information infrastructure: one hour in place of four"`
	Scope        []IncidentQuery `json:"scope,omitempty" maxItems:"20" doc:"None: everybody"`
}

// IncidentClock is one limit of an incident.
type IncidentClock struct {
	Rule     string     `json:"rule" example:"authority.4h"`
	DueAt    time.Time  `json:"due_at" doc:"First moment that is too late"`
	MetAt    *time.Time `json:"met_at,omitempty"`
	WaivedAt *time.Time `json:"waived_at,omitempty" doc:"It does not apply"`
	MissedAt *time.Time `json:"missed_at,omitempty"`
}

// IncidentStep is one line of an incident's journal.
type IncidentStep struct {
	Step   string            `json:"step"`
	Staff  string            `json:"staff" doc:"Handle; empty: the system"`
	Detail map[string]string `json:"detail"`
	At     time.Time         `json:"at"`
}

// IncidentNotice is a notice to the people whom an incident reaches.
type IncidentNotice struct {
	ID           string                       `json:"id"`
	Number       int64                        `json:"number" doc:"From 2 on a supplement"`
	State        string                       `json:"state" enum:"draft,sending,sent"`
	CauseUnknown bool                         `json:"cause_unknown"`
	Words        map[string]map[string]string `json:"words" doc:"By language and field"`
	Missing      []string                     `json:"missing" nullable:"false" doc:"Fields without which it is not sent, as field.language"`
	Text         map[string]string            `json:"text" doc:"As people read it, by language"`
	SHA256       string                       `json:"sha256"`
	WrittenBy    string                       `json:"written_by"`
	WrittenAt    time.Time                    `json:"written_at"`
	SentBy       string                       `json:"sent_by"`
	SentAt       *time.Time                   `json:"sent_at,omitempty"`
	DoneAt       *time.Time                   `json:"done_at,omitempty"`
	Announced    bool                         `json:"announced"`
}

// IncidentSignature is a word for not telling people.
type IncidentSignature struct {
	Staff  string    `json:"staff"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// IncidentSection is one part of a report.
type IncidentSection struct {
	ID    string            `json:"id"`
	Title map[string]string `json:"title" doc:"By language"`
	Lines []string          `json:"lines" nullable:"false"`
}

// IncidentReport is a version of what the authority is told.
type IncidentReport struct {
	Version   int64             `json:"version"`
	Kind      string            `json:"kind" enum:"first,further,summary,flaw"`
	Sections  []IncidentSection `json:"sections" nullable:"false"`
	Markdown  string            `json:"markdown"`
	SHA256    string            `json:"sha256" doc:"Of the sections as they are kept"`
	Missing   []string          `json:"missing" nullable:"false" doc:"Facts that were not known"`
	DraftedBy string            `json:"drafted_by"`
	DraftedAt time.Time         `json:"drafted_at"`
	SentBy    string            `json:"sent_by"`
	SentAt    *time.Time        `json:"sent_at,omitempty"`
	Reference string            `json:"reference"`
}

// Incident is an incident in a list.
type Incident struct {
	ID           string          `json:"id"`
	Kind         string          `json:"kind" enum:"leak,tampering,loss,flaw"`
	State        string          `json:"state" enum:"counting,assessed,notifying,notified,waived,closed"`
	T0           time.Time       `json:"t0"`
	DetectedBy   string          `json:"detected_by"`
	Sensitive    bool            `json:"sensitive"`
	Critical     bool            `json:"critical"`
	People       int64           `json:"people" doc:"Distinct; meaningless before counted_at"`
	CountedAt    *time.Time      `json:"counted_at,omitempty"`
	Grade        string          `json:"grade" enum:"ordinary,large,major,extreme"`
	AnnounceOwed bool            `json:"announce_owed" doc:"More than 5 % were not reached"`
	OpenedAt     time.Time       `json:"opened_at"`
	HandledAt    *time.Time      `json:"handled_at,omitempty"`
	ClosedAt     *time.Time      `json:"closed_at,omitempty"`
	Clocks       []IncidentClock `json:"clocks" nullable:"false"`
}

// IncidentFile is an incident with all that belongs to it.
type IncidentFile struct {
	Incident
	Scope       []IncidentQuery     `json:"scope" nullable:"false"`
	Facts       map[string]string   `json:"facts"`
	FactNames   []string            `json:"fact_names" nullable:"false"`
	Fields      []string            `json:"fields" nullable:"false" doc:"Of a notice; none may be missing"`
	Channels    []string            `json:"channels" nullable:"false"`
	Steps       []IncidentStep      `json:"steps" nullable:"false"`
	Notices     []IncidentNotice    `json:"notices" nullable:"false"`
	Signatures  []IncidentSignature `json:"signatures" nullable:"false"`
	Reports     []IncidentReport    `json:"reports" nullable:"false"`
	Told        int64               `json:"told"`
	Reached     int64               `json:"reached"`
	Unreachable int64               `json:"unreachable"`
	OpenTasks   int64               `json:"open_tasks"`
}

// IncidentTask is what staff do for one person.
type IncidentTask struct {
	Subject   string     `json:"subject" doc:"Handle"`
	Kind      string     `json:"kind" enum:"phone,letter,guardian"`
	Outcome   string     `json:"outcome" enum:",reached,not_reached,no_contact"`
	Reference string     `json:"reference"`
	MadeAt    time.Time  `json:"made_at"`
	ClosedAt  *time.Time `json:"closed_at,omitempty"`
	ClosedBy  string     `json:"closed_by"`
}

// IncidentTaskResult is how a task went.
type IncidentTaskResult struct {
	Subject   string `json:"subject" maxLength:"60"`
	Kind      string `json:"kind" enum:"phone,letter,guardian"`
	Outcome   string `json:"outcome" enum:"reached,not_reached,no_contact"`
	Reference string `json:"reference,omitempty" maxLength:"40" doc:"Tracking or file number; a letter that arrived needs it"`
}

// OwnIncidentNotice is a notice of an incident that concerns the person.
type OwnIncidentNotice struct {
	ID     string     `json:"id"`
	Title  string     `json:"title"`
	Text   string     `json:"text"`
	At     time.Time  `json:"at"`
	SeenAt *time.Time `json:"seen_at,omitempty"`
}

// IncidentAnnouncement is a notice that everybody may read.
type IncidentAnnouncement struct {
	ID    string    `json:"id"`
	Title string    `json:"title"`
	Text  string    `json:"text"`
	At    time.Time `json:"at"`
}

type incidentInput struct {
	ID string `path:"id" maxLength:"40"`
}

// IncidentNoticeDraft is a notice as it is being written.
type IncidentNoticeDraft struct {
	CauseUnknown bool                         `json:"cause_unknown,omitempty" doc:"In the first notice only; a supplement is owed then"`
	Words        map[string]map[string]string `json:"words" doc:"By language (zh-CN, en) and field; they name no person"`
}

// IncidentReportSent says that staff sent a report.
type IncidentReportSent struct {
	SentAt    time.Time `json:"sent_at"`
	Reference string    `json:"reference,omitempty" maxLength:"40" doc:"Under which number the authority keeps it"`
}

// Incidents registers the desk for staff, the notices of the person and the
// announcements.
func Incidents(a *API, s *incident.Service) {
	Get(a, "/me/incident-notices", Operation{ID: "list-own-incident-notices", Summary: "Notices of incidents that concern you, newest first", Tag: "Privacy", Access: SignedIn},
		func(ctx context.Context, _ *struct{}) (*Body[List[OwnIncidentNotice]], error) {
			all, err := s.Mine(ctx, Who(ctx).Subject, string(request.From(ctx).Language))
			return page(all, "", err, func(o incident.OwnNotice) OwnIncidentNotice {
				return OwnIncidentNotice{o.ID, o.Title, o.Text, o.At, toTime(o.SeenAt)}
			})
		})
	Post(a, "/me/incident-notices/{id}/seen", Operation{ID: "see-own-incident-notice", Summary: "You have read a notice", Tag: "Privacy", Access: SignedIn, Status: 204},
		func(ctx context.Context, in *incidentInput) (*struct{}, error) {
			return nil, s.Seen(ctx, Who(ctx).Subject, in.ID)
		})
	Get(a, "/incident-announcements", Operation{ID: "list-incident-announcements", Summary: "What was announced of incidents, newest first", Tag: "Privacy", Access: Public},
		func(ctx context.Context, _ *struct{}) (*Body[List[IncidentAnnouncement]], error) {
			all, err := s.Announcements(ctx, string(request.From(ctx).Language))
			return page(all, "", err, func(o incident.Announcement) IncidentAnnouncement {
				return IncidentAnnouncement{o.ID, o.Title, o.Text, o.At}
			})
		})
	d := incidentDesk{a, s}
	d.files()
	d.people()
	d.reports()
}

type incidentDesk struct {
	a *API
	s *incident.Service
}

const incidentPath = "/admin/incidents"

// act registers an operation of staff on an incident, answered by nothing.
func (d incidentDesk) act(name, summary, permission string, do func(context.Context, account.Principal, string) error) {
	Post(d.a, incidentPath+"/{id}/"+name, Operation{ID: "admin-" + name + "-incident", Summary: summary, Tag: "Staff", Access: Staff(permission), Status: 204},
		func(ctx context.Context, in *incidentInput) (*struct{}, error) { return nil, do(ctx, Who(ctx), in.ID) })
}

func (d incidentDesk) file(ctx context.Context, id string) (*Body[IncidentFile], error) {
	v, err := d.s.Show(ctx, id)
	if err != nil {
		return nil, err
	}
	return &Body[IncidentFile]{d.toFile(v)}, nil
}

func (d incidentDesk) files() {
	read, handle := Staff(account.PermIncidentRead), Staff(account.PermIncidentHandle)
	Get(d.a, incidentPath, Operation{ID: "admin-list-incidents", Summary: "Incidents with their clocks, newest first", Tag: "Staff", Access: read},
		func(ctx context.Context, _ *struct{}) (*Body[List[Incident]], error) {
			all, err := d.s.List(ctx)
			return page(all, "", err, toIncident)
		})
	Get(d.a, incidentPath+"/{id}", Operation{ID: "admin-get-incident", Summary: "An incident with all that belongs to it", Tag: "Staff", Access: read},
		func(ctx context.Context, in *incidentInput) (*Body[IncidentFile], error) { return d.file(ctx, in.ID) })
	Post(d.a, incidentPath, Operation{
		ID: "admin-open-incident", Summary: "Open an incident; its clocks run", Tag: "Staff", Access: handle, Status: 201,
		Detail: "Whom it reaches is counted at once. Until then the authority's clock runs as if it were of a reported grade.",
	},
		func(ctx context.Context, in *struct{ Body NewIncident }) (*Body[IncidentFile], error) {
			b := in.Body
			i, err := d.s.Open(ctx, Who(ctx), incident.NewIncident{
				Kind: incident.Kind(b.Kind), DiscoveredAt: given(b.DiscoveredAt), ToldAt: given(b.ToldAt), DetectedBy: b.DetectedBy,
				Sensitive: b.Sensitive, Critical: b.Critical, Scope: Items(b.Scope, fromQuery),
			})
			if err != nil {
				return nil, err
			}
			return d.file(ctx, i.ID)
		})
	Post(d.a, incidentPath+"/{id}/scope", Operation{
		ID: "admin-widen-incident", Summary: "It reaches more people", Tag: "Staff", Access: handle, Status: 204,
		Detail: "Nobody is taken away. Who is new gets the notices that have gone out.",
	},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body struct {
				Scope []IncidentQuery `json:"scope" minItems:"1" maxItems:"20"`
			}
		},
		) (*struct{}, error) {
			return nil, d.s.Widen(ctx, Who(ctx), in.ID, Items(in.Body.Scope, fromQuery))
		})
	Post(d.a, incidentPath+"/{id}/grade", Operation{ID: "admin-raise-incident", Summary: "Raise the grade; it is never lowered", Tag: "Staff", Access: handle, Status: 204},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body struct {
				Grade string `json:"grade" enum:"large,major,extreme"`
			}
		},
		) (*struct{}, error) {
			return nil, d.s.Raise(ctx, Who(ctx), in.ID, incident.Grade(in.Body.Grade))
		})
	d.act("handled", "It is contained and mended; the summary is due in thirty days", account.PermIncidentHandle, d.s.Handled)
	d.act("close", "Nothing is owed any more", account.PermIncidentHandle, d.s.Close)
}

func (d incidentDesk) people() {
	read, handle := Staff(account.PermIncidentRead), Staff(account.PermIncidentHandle)
	Post(d.a, incidentPath+"/{id}/notice", Operation{ID: "admin-write-incident-notice", Summary: "Write the next notice; it may be incomplete", Tag: "Staff", Access: handle},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body IncidentNoticeDraft
		},
		) (*Body[IncidentNotice], error) {
			n, err := d.s.Write(ctx, Who(ctx), in.ID, in.Body.Words, in.Body.CauseUnknown)
			if err != nil {
				return nil, err
			}
			return &Body[IncidentNotice]{d.toIncidentNotice(n, nil)}, nil
		})
	d.act("send-notice", "Send the notice to everybody whom it reaches", account.PermIncidentHandle, d.s.Send)
	d.act("announce", "Make the newest notice public", account.PermIncidentHandle, d.s.Announce)
	Post(d.a, incidentPath+"/{id}/signatures", Operation{
		ID: "admin-sign-incident", Summary: "Sign that people need not be told", Tag: "Staff", Access: Staff(account.PermIncidentSign), Status: 204,
		Detail: "PIPL 57: harm was averted. It takes two members of staff.",
	},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body struct {
				Reason string `json:"reason" minLength:"1" maxLength:"2000"`
			}
		},
		) (*struct{}, error) {
			return nil, d.s.Sign(ctx, Who(ctx), in.ID, in.Body.Reason)
		})
	Get(d.a, incidentPath+"/{id}/tasks", Operation{ID: "admin-list-incident-tasks", Summary: "Whom to call or to write to", Tag: "Staff", Access: read},
		func(ctx context.Context, in *struct {
			ID string `path:"id" maxLength:"40"`
			Page
			Closed bool `query:"closed"`
		},
		) (*Body[List[IncidentTask]], error) {
			all, err := d.s.Tasks(ctx, in.ID, in.Closed, in.Cursor, in.Limit)
			next := ""
			if len(all) == in.Limit && in.Limit > 0 {
				next = all[len(all)-1].Subject
			}
			return page(all, next, err, func(k incident.Task) IncidentTask {
				return IncidentTask{k.Subject, k.Kind, k.Outcome, k.Reference, k.MadeAt, toTime(k.ClosedAt), k.ClosedBy}
			})
		})
	Post(d.a, incidentPath+"/{id}/tasks", Operation{ID: "admin-close-incident-task", Summary: "Say how a task went", Tag: "Staff", Access: handle, Status: 204},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body IncidentTaskResult
		},
		) (*struct{}, error) {
			b := in.Body
			return nil, d.s.CloseTask(ctx, Who(ctx), incident.Task{Incident: in.ID, Subject: b.Subject, Kind: b.Kind, Outcome: b.Outcome, Reference: b.Reference})
		})
}

func (d incidentDesk) reports() {
	handle := Staff(account.PermIncidentHandle)
	Post(d.a, incidentPath+"/{id}/facts", Operation{ID: "admin-set-incident-facts", Summary: "What is known for reports; an empty one is removed", Tag: "Staff", Access: handle, Status: 204},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body struct {
				Facts map[string]string `json:"facts"`
			}
		},
		) (*struct{}, error) {
			return nil, d.s.SetFacts(ctx, Who(ctx), in.ID, in.Body.Facts)
		})
	Post(d.a, incidentPath+"/{id}/reports", Operation{ID: "admin-draft-incident-report", Summary: "Draft the next version of a report", Tag: "Staff", Access: handle, Status: 201},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body struct {
				Kind string `json:"kind" enum:"first,further,summary,flaw"`
			}
		},
		) (*Body[IncidentReport], error) {
			r, err := d.s.DraftReport(ctx, Who(ctx), in.ID, incident.ReportKind(in.Body.Kind))
			if err != nil {
				return nil, err
			}
			return &Body[IncidentReport]{toReport(r)}, nil
		})
	Post(d.a, incidentPath+"/{id}/reports/{version}/sent", Operation{
		ID: "admin-incident-report-sent", Summary: "You sent this report to the authority", Tag: "Staff", Access: handle, Status: 204,
		Detail: "The system sends nothing to authorities by itself.",
	},
		func(ctx context.Context, in *struct {
			ID      string `path:"id" maxLength:"40"`
			Version string `path:"version" maxLength:"10"`
			Body    IncidentReportSent
		},
		) (*struct{}, error) {
			version, err := strconv.ParseInt(in.Version, 10, 64)
			if err != nil {
				return nil, incident.ErrNotFound
			}
			return nil, d.s.ReportSent(ctx, Who(ctx), in.ID, version, in.Body.SentAt, in.Body.Reference)
		})
}

func given(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func fromQuery(q IncidentQuery) incident.Query {
	return incident.Query{Kind: incident.QueryKind(q.Kind), Accounts: q.Accounts, From: given(q.From), To: given(q.To), Stores: q.Stores}
}

func toQuery(q incident.Query) IncidentQuery {
	return IncidentQuery{string(q.Kind), q.Accounts, toTime(q.From), toTime(q.To), q.Stores}
}

func toIncident(v incident.View) Incident {
	return Incident{
		ID: v.ID, Kind: string(v.Kind), State: string(v.State), T0: v.T0, DetectedBy: v.DetectedBy, Sensitive: v.Sensitive, Critical: v.Critical,
		People: v.People, CountedAt: toTime(v.CountedAt), Grade: string(v.Grade()), AnnounceOwed: !v.OwedAt.IsZero(), OpenedAt: v.OpenedAt,
		HandledAt: toTime(v.HandledAt), ClosedAt: toTime(v.ClosedAt),
		Clocks: Items(v.Clocks, func(c incident.Clock) IncidentClock {
			return IncidentClock{c.Rule, c.Due, toTime(c.MetAt), toTime(c.WaivedAt), toTime(c.MissedAt)}
		}),
	}
}

func (d incidentDesk) toFile(v incident.View) IncidentFile {
	return IncidentFile{
		Incident: toIncident(v), Scope: Items(v.Scope, toQuery), Facts: v.Facts, FactNames: incident.FactNames, Fields: incident.FieldNames(),
		Channels: append(Items(d.s.Channels(), func(c string) string { return c }), "announcement"),
		Steps:    Items(v.Steps, func(t incident.Step) IncidentStep { return IncidentStep(t) }),
		Notices:  Items(v.Notices, func(n incident.Notice) IncidentNotice { return d.toIncidentNotice(n, v.Announced) }),
		Signatures: Items(v.Signatures, func(g incident.Signature) IncidentSignature {
			return IncidentSignature(g)
		}),
		Reports: Items(v.Reports, toReport), Told: v.Reach.Told, Reached: v.Reach.Reached, Unreachable: v.Reach.Unreachable, OpenTasks: v.OpenTasks,
	}
}

func (d incidentDesk) toIncidentNotice(n incident.Notice, announced []string) IncidentNotice {
	out := IncidentNotice{
		ID: n.ID, Number: n.Number, State: n.State, CauseUnknown: n.CauseUnknown, Words: n.Words, Missing: Items(n.Missing(), func(m string) string { return m }),
		Text: map[string]string{}, SHA256: n.SHA256, WrittenBy: n.WrittenBy, WrittenAt: n.WrittenAt, SentBy: n.SentBy, SentAt: toTime(n.SentAt), DoneAt: toTime(n.DoneAt),
	}
	for _, l := range []string{"zh-CN", "en"} {
		out.Text[l] = d.s.Text(n, l)
	}
	for _, id := range announced {
		out.Announced = out.Announced || id == n.ID
	}
	return out
}

func toReport(r incident.Report) IncidentReport {
	return IncidentReport{
		Version: r.Version, Kind: string(r.Kind), Sections: Items(r.Sections, func(s incident.Section) IncidentSection { return IncidentSection(s) }),
		Markdown: r.Markdown(), SHA256: r.SHA256, Missing: Items(r.Missing, func(m string) string { return m }), DraftedBy: r.DraftedBy, DraftedAt: r.DraftedAt,
		SentBy: r.SentBy, SentAt: toTime(r.SentAt), Reference: r.Reference,
	}
}
