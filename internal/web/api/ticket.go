package api

import (
	"context"
	"mime"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/ticket"
	"github.com/skybridge-cloud/skybridge/internal/platform/markdown"
)

// TicketText is what somebody writes in a ticket.
type TicketText struct {
	Words string `json:"words" minLength:"1" maxLength:"32000" doc:"Markdown, at most 8000 characters. Kept encrypted"`
}

// NewTicket asks something of staff.
type NewTicket struct {
	TicketText
	Department string `json:"department" enum:"technical,billing,account,sales,complaint"`
	Priority   string `json:"priority,omitempty" enum:"urgent,high,normal,low" default:"normal"`
	Resource   string `json:"resource,omitempty" maxLength:"60" doc:"A VPN gateway, service or order of yours that it is about"`
	Subject    string `json:"ticket_title" minLength:"1" maxLength:"480" doc:"At most 120 characters. Kept encrypted"`
}

// Ticket is a ticket in a list.
type Ticket struct {
	ID         string     `json:"id" example:"tkt_2b4k7..."`
	Subject    string     `json:"ticket_title"`
	Department string     `json:"department" enum:"technical,billing,account,sales,complaint"`
	Priority   string     `json:"priority" enum:"urgent,high,normal,low"`
	Resource   string     `json:"resource,omitempty"`
	State      string     `json:"state" enum:"open,in_progress,awaiting_customer,customer_replied,on_hold,resolved,closed"`
	Follows    string     `json:"follows,omitempty" doc:"The closed ticket that it goes on with"`
	Request    string     `json:"request,omitempty" doc:"The request about personal data that it became"`
	OpenedAt   time.Time  `json:"opened_at"`
	ChangedAt  time.Time  `json:"changed_at"`
	DueAt      *time.Time `json:"due_at,omitempty" doc:"When staff answer at the latest; left out: it is not their turn"`
	ClosedAt   *time.Time `json:"closed_at,omitempty"`
}

// TicketMessage is one word of a thread.
type TicketMessage struct {
	ID    string    `json:"id"`
	Staff bool      `json:"by_staff"`
	Words string    `json:"words"`
	HTML  string    `json:"html" doc:"The words, rendered without pictures and without HTML of theirs"`
	At    time.Time `json:"at"`
}

// TicketFile is a file of a thread.
type TicketFile struct {
	ID          string    `json:"id"`
	Staff       bool      `json:"by_staff"`
	Name        string    `json:"file_name"`
	Media       string    `json:"media" doc:"What the bytes are, whatever the name says" example:"image/png"`
	Size        int64     `json:"size" doc:"Bytes"`
	Quarantined bool      `json:"quarantined" doc:"Neither a picture nor plain text: staff see it when one of them has let it out"`
	At          time.Time `json:"at"`
}

// TicketThread is a ticket with all that was said.
type TicketThread struct {
	Ticket
	Messages []TicketMessage `json:"messages" nullable:"false"`
	Files    []TicketFile    `json:"files" nullable:"false"`
}

// NewTicketFile is a file to add.
type NewTicketFile struct {
	Name    string `json:"file_name" minLength:"1" maxLength:"400"`
	Content []byte `json:"content" doc:"In base64; at most 640 KiB. Pictures are drawn again, without what they tell of place and device"`
}

// TicketNumber names a ticket.
type TicketNumber struct {
	ID string `path:"id" maxLength:"40"`
}

type ticketFileNumber struct {
	ID   string `path:"id" maxLength:"40"`
	File string `path:"file" maxLength:"40"`
}

// Tickets registers what customers do with their tickets.
func Tickets(a *API, s *ticket.Service) {
	const tag = "Tickets"
	Get(a, "/tickets", Operation{ID: "list-tickets", Summary: "Your tickets, the newest first", Tag: tag, Access: Customer},
		func(ctx context.Context, in *struct {
			Limit int `query:"limit" minimum:"1" maximum:"500" default:"200"`
		},
		) (*Body[List[Ticket]], error) {
			all, err := s.Mine(ctx, Who(ctx), in.Limit)
			return page(all, "", err, func(l ticket.Listed) Ticket { return toTicket(l.Ticket, l.Title) })
		})
	Post(a, "/tickets", Operation{
		ID: "create-ticket", Summary: "Ask staff something", Tag: tag, Access: Customer, Status: 201,
		Detail: "For what is about your personal data use data-subject-requests: its clocks are the law's.",
	},
		func(ctx context.Context, in *struct{ Body NewTicket }) (*Body[Ticket], error) {
			b := in.Body
			k, err := s.Create(ctx, Who(ctx), ticket.NewTicket{
				Department: ticket.Department(b.Department), Priority: ticket.Priority(b.Priority), Resource: b.Resource, Title: b.Subject, Words: b.Words,
			})
			return &Body[Ticket]{toTicket(k, b.Subject)}, err
		})
	Get(a, "/tickets/{id}", Operation{ID: "get-ticket", Summary: "One ticket with all that was said", Tag: tag, Access: Customer},
		func(ctx context.Context, in *TicketNumber) (*Body[TicketThread], error) {
			th, err := s.Read(ctx, Who(ctx), in.ID)
			return &Body[TicketThread]{toThread(th)}, err
		})
	Post(a, "/tickets/{id}/messages", Operation{
		ID: "reply-to-ticket", Summary: "Say something", Tag: tag, Access: Customer, Status: 201,
		Detail: "To a ticket that was closed more than fourteen days ago this makes a new one, which follows it and is answered with.",
	},
		func(ctx context.Context, in *struct {
			TicketNumber
			Body TicketText
		},
		) (*Body[Ticket], error) {
			k, err := s.Reply(ctx, Who(ctx), in.ID, in.Body.Words)
			return &Body[Ticket]{toTicket(k, "")}, err
		})
	Post(a, "/tickets/{id}/close", Operation{ID: "close-ticket", Summary: "Nothing is left to do", Tag: tag, Access: Customer, Status: 204},
		func(ctx context.Context, in *TicketNumber) (*struct{}, error) {
			return nil, s.Close(ctx, Who(ctx), in.ID)
		})
	Post(a, "/tickets/{id}/files", Operation{ID: "attach-to-ticket", Summary: "Add a file", Tag: tag, Access: Customer, Status: 201},
		func(ctx context.Context, in *struct {
			TicketNumber
			Body NewTicketFile
		},
		) (*Body[TicketFile], error) {
			f, err := s.Attach(ctx, Who(ctx), in.ID, in.Body.Name, in.Body.Content)
			return &Body[TicketFile]{toTicketFile(f)}, err
		})
	Get(a, "/tickets/{id}/files/{file}", Operation{ID: "get-ticket-file", Summary: "A file as it is kept", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ticketFileNumber) (*file, error) {
			f, content, err := s.Fetch(ctx, Who(ctx), in.ID, in.File)
			return saved(f, content), err
		})
}

// saved is a file that no browser runs: it is saved, as the type that its
// bytes have.
func saved(f ticket.File, content []byte) *file {
	return &file{secretCache, f.Media, mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}), content}
}

func toTicket(t ticket.Ticket, title string) Ticket {
	return Ticket{
		ID: t.ID, Subject: title, Department: string(t.Department), Priority: string(t.Priority), Resource: t.Resource, State: string(t.State),
		Follows: t.Follows, Request: t.Request, OpenedAt: t.OpenedAt, ChangedAt: t.ChangedAt, DueAt: toTime(t.Due), ClosedAt: toTime(t.ClosedAt),
	}
}

func toTicketFile(f ticket.File) TicketFile {
	return TicketFile{ID: f.ID, Staff: f.Staff, Name: f.Name, Media: f.Media, Size: f.Size, Quarantined: f.Quarantined, At: f.At}
}

func toMessage(m ticket.Message) TicketMessage {
	page, err := markdown.Foreign(m.Words)
	if err != nil {
		page = "" // the words are there
	}
	return TicketMessage{m.ID, m.Staff, m.Words, page, m.At}
}

func toThread(th ticket.Thread) TicketThread {
	return TicketThread{
		toTicket(th.Ticket, th.Title),
		Items(th.Messages, toMessage),
		Items(th.Files, toTicketFile),
	}
}
