package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ticket"
)

// QueuedTicket is a ticket in the queue of staff: no word of it.
type QueuedTicket struct {
	ID         string     `json:"id"`
	Department string     `json:"department" enum:"technical,billing,account,sales,complaint"`
	Priority   string     `json:"priority" enum:"urgent,high,normal,low"`
	Resource   string     `json:"resource,omitempty"`
	State      string     `json:"state" enum:"open,in_progress,awaiting_customer,customer_replied,on_hold,resolved,closed"`
	Account    string     `json:"account"`
	Assignee   string     `json:"handle,omitempty" doc:"Who of the staff deals with it"`
	Mine       bool       `json:"claimed_by_you"`
	Late       bool       `json:"late" doc:"Staff owed a word before now"`
	OpenedAt   time.Time  `json:"opened_at"`
	ChangedAt  time.Time  `json:"changed_at"`
	DueAt      *time.Time `json:"due_at,omitempty"`
	ClosedAt   *time.Time `json:"closed_at,omitempty"`
}

// TicketNote is a word of staff to staff.
type TicketNote struct {
	ID    string    `json:"id"`
	By    string    `json:"handle"`
	Words string    `json:"words"`
	At    time.Time `json:"at"`
}

// StaffTicket is a ticket as staff see it.
type StaffTicket struct {
	TicketThread
	Account  string       `json:"account"`
	Assignee string       `json:"handle,omitempty" doc:"Who of the staff deals with it"`
	Mine     bool         `json:"claimed_by_you"`
	Notes    []TicketNote `json:"staff_notes" nullable:"false" doc:"Customers are never shown them on the page; a copy of their data has them"`
}

// TicketSorting is for whom a ticket is, and how much it hurts.
type TicketSorting struct {
	Department string `json:"department" enum:"technical,billing,account,sales,complaint"`
	Priority   string `json:"priority" enum:"urgent,high,normal,low"`
}

// TicketHandover makes a request about personal data of a ticket.
type TicketHandover struct {
	Kind string `json:"kind" enum:"access,copy,port,correct,supplement,delete,restrict,explain,withdraw,cancel,deceased,guardian,complaint,question"`
}

// HandedOver is the request that a ticket became.
type HandedOver struct {
	Request string `json:"request" example:"dsr_2b4k7..."`
}

// TicketQQ is the QQ number of whoever wrote a ticket.
type TicketQQ struct {
	QQ string `json:"qq"`
}

// CannedReply is an answer that staff keep ready.
type CannedReply struct {
	Department string `json:"department,omitempty" enum:",technical,billing,account,sales,complaint" doc:"Empty: all"`
	Title      string `json:"title" minLength:"1" maxLength:"480"`
	Chinese    string `json:"text_zh" minLength:"1" maxLength:"32000"`
	English    string `json:"text_en" minLength:"1" maxLength:"32000"`
}

// KeptReply is one that is kept.
type KeptReply struct {
	ID string `json:"id"`
	CannedReply
	ChangedAt time.Time `json:"changed_at"`
}

// TicketDesk registers what staff do with tickets.
func TicketDesk(a *API, s *ticket.Service, now func() time.Time) {
	const path = "/admin/tickets"
	op := func(id, summary string, status int) Operation {
		return Operation{ID: "admin-" + id, Summary: summary, Tag: "Staff", Access: Staff(account.PermTicketHandle), Status: status}
	}
	Get(a, path, op("list-tickets", "The queue without a word: what is due first", 0),
		func(ctx context.Context, in *struct {
			Closed     bool   `query:"closed"`
			Department string `query:"department" enum:"technical,billing,account,sales,complaint"`
			Mine       bool   `query:"mine" doc:"Only what you deal with"`
		},
		) (*Body[List[QueuedTicket]], error) {
			all, err := s.Queue(ctx, Who(ctx), ticket.Filter{Closed: in.Closed, Department: ticket.Department(in.Department), Mine: in.Mine})
			return page(all, "", err, func(t ticket.Ticket) QueuedTicket { return toQueued(ctx, t, now()) })
		})
	read := op("get-ticket", "One ticket with all that was said; its person sees the reading", 0)
	Get(a, path+"/{id}", read, func(ctx context.Context, in *TicketNumber) (*Body[StaffTicket], error) {
		h, err := s.Handle(ctx, Who(ctx), in.ID)
		return &Body[StaffTicket]{toStaffTicket(ctx, h)}, err
	})
	for verb, act := range map[string]struct {
		summary string
		do      func(context.Context, string) error
	}{
		"claim":   {"Deal with a ticket", func(ctx context.Context, id string) error { return s.Claim(ctx, Who(ctx), id) }},
		"hold":    {"Stop the clock: somebody else has to act first", func(ctx context.Context, id string) error { return s.Hold(ctx, Who(ctx), id) }},
		"resume":  {"Go on", func(ctx context.Context, id string) error { return s.Resume(ctx, Who(ctx), id) }},
		"resolve": {"Nothing is left to do; the person is told", func(ctx context.Context, id string) error { return s.Resolve(ctx, Who(ctx), id) }},
	} {
		Post(a, path+"/{id}/"+verb, op(verb+"-ticket", act.summary, 204),
			func(ctx context.Context, in *TicketNumber) (*struct{}, error) { return nil, act.do(ctx, in.ID) })
	}
	Patch(a, path+"/{id}", op("sort-ticket", "Change department and priority", 204), func(ctx context.Context, in *struct {
		TicketNumber
		Body TicketSorting
	},
	) (*struct{}, error) {
		return nil, s.Sort(ctx, Who(ctx), in.ID, ticket.Department(in.Body.Department), ticket.Priority(in.Body.Priority))
	})
	Post(a, path+"/{id}/handover", op("hand-over-ticket", "Make a request about personal data of it; the clocks run from when the ticket came", 201),
		func(ctx context.Context, in *struct {
			TicketNumber
			Body TicketHandover
		},
		) (*Body[HandedOver], error) {
			request, err := s.HandOver(ctx, Who(ctx), in.ID, in.Body.Kind)
			return &Body[HandedOver]{HandedOver{request}}, err
		})
	Post(a, path+"/{id}/qq", op("read-ticket-qq", "The QQ number of whoever wrote a ticket, for who deals with it; the person sees the reading", 0),
		func(ctx context.Context, in *TicketNumber) (*private[TicketQQ], error) {
			qq, err := s.QQ(ctx, Who(ctx), in.ID)
			return &private[TicketQQ]{secretCache, TicketQQ{qq}}, err
		})
	ticketWords(a, s, path, op)
	cannedReplies(a, s, op)
}

// ticketWords registers what staff say in tickets, and their files.
func ticketWords(a *API, s *ticket.Service, path string, op func(id, summary string, status int) Operation) {
	type words struct {
		TicketNumber
		Body TicketText
	}
	Post(a, path+"/{id}/messages", op("answer-ticket", "Answer; the person is told", 204),
		func(ctx context.Context, in *words) (*struct{}, error) {
			return nil, s.Answer(ctx, Who(ctx), in.ID, in.Body.Words)
		})
	Post(a, path+"/{id}/notes", op("note-ticket", "Say something to other staff", 204),
		func(ctx context.Context, in *words) (*struct{}, error) {
			return nil, s.AddNote(ctx, Who(ctx), in.ID, in.Body.Words)
		})
	Post(a, path+"/{id}/files", op("attach-to-ticket", "Add a file for the customer", 201), func(ctx context.Context, in *struct {
		TicketNumber
		Body NewTicketFile
	},
	) (*Body[TicketFile], error) {
		f, err := s.AttachAnswer(ctx, Who(ctx), in.ID, in.Body.Name, in.Body.Content)
		return &Body[TicketFile]{toTicketFile(f)}, err
	})
	Get(a, path+"/{id}/files/{file}", op("get-ticket-file", "A file; its person sees the reading", 0),
		func(ctx context.Context, in *ticketFileNumber) (*file, error) {
			f, content, err := s.FetchForStaff(ctx, Who(ctx), in.ID, in.File)
			return saved(f, content), err
		})
	Post(a, path+"/{id}/files/{file}/release", op("release-ticket-file", "Let a file out of quarantine, in your name", 204),
		func(ctx context.Context, in *ticketFileNumber) (*struct{}, error) {
			return nil, s.Release(ctx, Who(ctx), in.ID, in.File)
		})
}

func cannedReplies(a *API, s *ticket.Service, op func(id, summary string, status int) Operation) {
	const path = "/admin/canned-replies"
	Get(a, path, op("list-canned-replies", "Answers that are kept ready", 0), func(ctx context.Context, _ *struct{}) (*Body[List[KeptReply]], error) {
		all, err := s.CannedReplies(ctx)
		return page(all, "", err, toKept)
	})
	Post(a, path, op("create-canned-reply", "Keep an answer ready", 201), func(ctx context.Context, in *struct{ Body CannedReply }) (*Body[KeptReply], error) {
		c, err := s.KeepReady(ctx, Who(ctx), in.Body.canned(""))
		return &Body[KeptReply]{toKept(c)}, err
	})
	Patch(a, path+"/{id}", op("update-canned-reply", "Change an answer that is kept ready", 0), func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"40"`
		Body CannedReply
	},
	) (*Body[KeptReply], error) {
		c, err := s.KeepReady(ctx, Who(ctx), in.Body.canned(in.ID))
		return &Body[KeptReply]{toKept(c)}, err
	})
	Delete(a, path+"/{id}", op("delete-canned-reply", "Remove an answer that was kept ready", 204), func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"40"`
	},
	) (*struct{}, error) {
		return nil, s.DropReady(ctx, in.ID)
	})
}

func (c CannedReply) canned(id string) ticket.Canned {
	return ticket.Canned{ID: id, Department: ticket.Department(c.Department), Title: c.Title, Chinese: c.Chinese, English: c.English}
}

func toKept(c ticket.Canned) KeptReply {
	return KeptReply{c.ID, CannedReply{string(c.Department), c.Title, c.Chinese, c.English}, c.ChangedAt}
}

func toQueued(ctx context.Context, t ticket.Ticket, now time.Time) QueuedTicket {
	return QueuedTicket{
		ID: t.ID, Department: string(t.Department), Priority: string(t.Priority), Resource: t.Resource, State: string(t.State), Account: string(t.Account),
		Assignee: string(t.Assignee), Mine: t.Assignee == Who(ctx).Subject, Late: !t.Due.IsZero() && t.Due.Before(now),
		OpenedAt: t.OpenedAt, ChangedAt: t.ChangedAt, DueAt: toTime(t.Due), ClosedAt: toTime(t.ClosedAt),
	}
}

func toStaffTicket(ctx context.Context, h ticket.Handled) StaffTicket {
	return StaffTicket{
		TicketThread: toThread(h.Thread), Account: string(h.Account), Assignee: string(h.Assignee), Mine: h.Assignee == Who(ctx).Subject,
		Notes: Items(h.Notes, func(n ticket.Note) TicketNote { return TicketNote{n.ID, string(n.By), n.Words, n.At} }),
	}
}
