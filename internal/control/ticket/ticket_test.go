package ticket_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/ticket"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

var ctx = context.Background()

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func code(t testing.TB, what string, err error, want string) {
	t.Helper()
	if got := errs.CodeOf(err); got != want {
		t.Errorf("%s: got %v (%s), want %s", what, err, got, want)
	}
}

// ports are the other modules, as far as tickets ask them.
type ports struct {
	qq    []string // tickets that a number was opened for
	asked []ticket.Asked
}

func (p *ports) Owned(_ context.Context, owner account.ID, resource string) error {
	if !strings.HasSuffix(resource, string(owner)) {
		return ticket.ErrResource
	}
	return nil
}

func (p *ports) QQFor(_ context.Context, _ account.Principal, ticket string, _ id.Handle) (string, error) {
	p.qq = append(p.qq, ticket)
	return "10001", nil
}

func (p *ports) FromTicketTx(_ context.Context, _ *db.Tx, _ account.Principal, a ticket.Asked) (string, error) {
	p.asked = append(p.asked, a)
	return "dsr_1", nil
}

type rig struct {
	accounttest.Rig
	s     *ticket.Service
	ports *ports

	mu   sync.Mutex
	told []string
}

func each(t *testing.T, fn func(t *testing.T, r *rig)) {
	t.Helper()
	accounttest.Each(t, func(t *testing.T, a accounttest.Rig) {
		r := &rig{Rig: a, ports: &ports{}}
		r.s = ticket.New(ticket.Deps{
			DB: a.DB, Clock: a.Clock, Queue: a.Queue, Log: slog.New(slog.DiscardHandler), Audit: a.Audit, Vault: a.Vault,
			Things: r.ports, Contacts: r.ports, Desk: r.ports,
		})
		for _, topic := range []string{ticket.TopicReplied, ticket.TopicWaiting, ticket.TopicResolved} {
			job.Subscribe(a.Queue, topic, "test", func(_ context.Context, e ticket.Event) error {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.told = append(r.told, topic)
				return nil
			})
		}
		fn(t, r)
	}, ticket.Migrations())
}

var staff = account.Principal{Subject: "sub_staff", Session: "ses_staff", Staff: true}

func plain() ticket.NewTicket {
	return ticket.NewTicket{Department: ticket.Technical, Priority: ticket.High, Title: "the tunnel  stops", Words: "It stops\r\nafter an hour."}
}

func (r *rig) created(t *testing.T, p account.Principal) ticket.Ticket {
	t.Helper()
	k, err := r.s.Create(ctx, p, plain())
	must(t, err)
	return k
}

func (r *rig) state(t *testing.T, p account.Principal, of string) ticket.Thread {
	t.Helper()
	th, err := r.s.Read(ctx, p, of)
	must(t, err)
	return th
}

func TestATicketFromTheFirstWordToItsClose(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.Customer(t, "asker")
		k := r.created(t, p)
		if got := k.Due.Sub(k.OpenedAt); got != 4*time.Hour || k.State != ticket.Open {
			t.Errorf("a new ticket: %s, due in %s", k.State, got)
		}
		h, err := r.s.Handle(ctx, staff, k.ID)
		must(t, err)
		if h.Title != "the tunnel stops" || len(h.Messages) != 1 || h.Messages[0].Words != "It stops\nafter an hour." || h.Messages[0].Staff {
			t.Errorf("staff read %+v", h)
		}
		reads, err := r.Audit.Reads(ctx, p.Subject, audit.ReadFilter{})
		must(t, err)
		if len(reads) != 1 || reads[0].Reason != k.ID || reads[0].Purpose != "aftersales" {
			t.Errorf("the person sees %+v of the reading", reads)
		}
		must(t, r.s.Claim(ctx, staff, k.ID))
		r.Clock.Advance(time.Hour)
		must(t, r.s.Hold(ctx, staff, k.ID))
		r.Clock.Advance(100 * time.Hour)
		must(t, r.s.Resume(ctx, staff, k.ID))
		if left := r.state(t, p, k.ID).Due.Sub(r.Clock.Now()); left != 3*time.Hour {
			t.Errorf("after a hold %s are left", left)
		}
		must(t, r.s.AddNote(ctx, staff, k.ID, "looks like the rekey"))
		must(t, r.s.Answer(ctx, staff, k.ID, "Please update."))
		if th := r.state(t, p, k.ID); th.State != ticket.Awaiting || !th.Due.IsZero() || len(th.Messages) != 2 || !th.Messages[1].Staff {
			t.Errorf("answered: %+v", th)
		}
		if h, err := r.s.Handle(ctx, staff, k.ID); err != nil || len(h.Notes) != 1 || h.Notes[0].Words != "looks like the rekey" {
			t.Errorf("notes: %+v, %v", h.Notes, err)
		}
		r.Clock.Advance(time.Hour)
		_, err = r.s.Reply(ctx, p, k.ID, "It works, thank you.")
		must(t, err)
		if th := r.state(t, p, k.ID); th.State != ticket.CustomerReplied || th.Due.Sub(r.Clock.Now()) != 4*time.Hour {
			t.Errorf("replied: %s, due %s", th.State, th.Due)
		}
		must(t, r.s.Resolve(ctx, staff, k.ID))
		must(t, r.s.Close(ctx, p, k.ID))
		must(t, r.Queue.Drain(ctx))
		if got := strings.Join(r.told, " "); got != "ticket.replied ticket.resolved" {
			t.Errorf("told %s", got)
		}
		code(t, "an answer to a closed ticket", r.s.Answer(ctx, staff, k.ID, "x"), "ticket.state")
	})
}

func TestSilenceRemindsResolvesAndCloses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.Customer(t, "silent")
		k := r.created(t, p)
		must(t, r.s.Answer(ctx, staff, k.ID, "Which version?"))
		for _, want := range []struct {
			day   int
			state ticket.State
			told  int
		}{{2, ticket.Awaiting, 1}, {3, ticket.Awaiting, 2}, {4, ticket.Awaiting, 2}, {7, ticket.Resolved, 3}, {9, ticket.Resolved, 3}, {10, ticket.Closed, 3}} {
			r.Clock.Advance(k.OpenedAt.AddDate(0, 0, want.day).Sub(r.Clock.Now()))
			must(t, ticket.Silence(ctx, r.s))
			must(t, ticket.Silence(ctx, r.s))
			must(t, r.Queue.Drain(ctx))
			if th := r.state(t, p, k.ID); th.State != want.state || len(r.told) != want.told {
				t.Errorf("day %d: %s, told %v", want.day, th.State, r.told)
			}
		}
		again, err := r.s.Reply(ctx, p, k.ID, "Version 9.")
		must(t, err)
		if again.ID != k.ID || again.State != ticket.CustomerReplied {
			t.Errorf("within fourteen days: %+v", again)
		}
		must(t, r.s.Close(ctx, p, k.ID))
		r.Clock.Advance(14*24*time.Hour + time.Second)
		next, err := r.s.Reply(ctx, p, k.ID, "Once more.")
		must(t, err)
		if th := r.state(t, p, next.ID); next.ID == k.ID || th.Follows != k.ID || th.Title != "the tunnel stops" || th.State != ticket.Open {
			t.Errorf("later: %+v", th)
		}
	})
}

// Every state is reached, every state but the last is left, and each move that the
// table does not have is refused and changes nothing.
func TestTheTableHasNoDeadEnds(t *testing.T) {
	t.Parallel()
	states := []ticket.State{ticket.Open, ticket.InProgress, ticket.Awaiting, ticket.CustomerReplied, ticket.OnHold, ticket.Resolved, ticket.Closed}
	moves := []ticket.Move{
		ticket.MoveClaim, ticket.MoveStaffReply, ticket.MoveCustomerReply, ticket.MoveHold, ticket.MoveResume, ticket.MoveResolve, ticket.MoveClose,
	}
	reached := map[ticket.State]bool{ticket.Open: true}
	for _, s := range states {
		left := 0
		for _, m := range moves {
			to, err := s.On(m)
			if err != nil {
				code(t, string(s)+" "+string(m), err, "ticket.state")
				if to != s {
					t.Errorf("a refused %s moved %s to %s", m, s, to)
				}
				continue
			}
			reached[to] = true
			left++
		}
		if left == 0 {
			t.Errorf("%s is a dead end", s)
		}
	}
	if len(reached) != len(states) {
		t.Errorf("reached are %v", reached)
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, other := r.Customer(t, "owner"), r.Customer(t, "stranger")
		k := r.created(t, p)
		f, err := r.s.Attach(ctx, p, k.ID, "log.txt", []byte("line"))
		must(t, err)
		_, err = r.s.Read(ctx, other, k.ID)
		code(t, "reading another's", err, "ticket.not_found")
		_, err = r.s.Reply(ctx, other, k.ID, "x")
		code(t, "replying to another's", err, "ticket.not_found")
		code(t, "closing another's", r.s.Close(ctx, other, k.ID), "ticket.not_found")
		_, _, err = r.s.Fetch(ctx, other, k.ID, f.ID)
		code(t, "another's file", err, "ticket.not_found")
		mine := r.created(t, other)
		_, _, err = r.s.Fetch(ctx, other, mine.ID, f.ID)
		code(t, "another's file by an own ticket", err, "ticket.file_not_found")
		worker := p
		worker.Staff = true
		code(t, "staff and their own", r.s.Claim(ctx, worker, k.ID), "ticket.own")
		_, err = r.s.QQ(ctx, staff, k.ID)
		code(t, "the QQ number of whom one does not deal with", err, "ticket.not_claimed")
		must(t, r.s.Claim(ctx, staff, k.ID))
		if qq, err := r.s.QQ(ctx, staff, k.ID); err != nil || qq != "10001" {
			t.Errorf("QQ: %s, %v", qq, err)
		}
		must(t, r.s.Close(ctx, p, k.ID))
		_, err = r.s.QQ(ctx, staff, k.ID)
		code(t, "the QQ number of a closed ticket", err, "ticket.not_claimed")
		n := plain()
		n.Resource = "gw_of_somebody"
		_, err = r.s.Create(ctx, p, n)
		code(t, "another's resource", err, "ticket.resource")
	})
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.Customer(t, "asker")
		for want, change := range map[string]func(*ticket.NewTicket){
			"ticket.department": func(n *ticket.NewTicket) { n.Department = "cellar" },
			"ticket.title":      func(n *ticket.NewTicket) { n.Title = " \n" },
			"ticket.words":      func(n *ticket.NewTicket) { n.Words = strings.Repeat("字", 8001) },
		} {
			n := plain()
			change(&n)
			_, err := r.s.Create(ctx, p, n)
			code(t, want, err, want)
		}
		n := plain()
		n.Priority = "now"
		_, err := r.s.Create(ctx, p, n)
		code(t, "priority", err, "ticket.department")
		for range 20 {
			r.created(t, p)
		}
		_, err = r.s.Create(ctx, p, plain())
		code(t, "too many", err, "ticket.too_many")
	})
}

// Of fifty customers' words at once none is lost, and the version counts them.
func TestFiftyRepliesAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.Customer(t, "hasty")
		k := r.created(t, p)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if _, err := r.s.Reply(ctx, p, k.ID, "again"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if th := r.state(t, p, k.ID); len(th.Messages) != 51 || th.Version != 51 {
			t.Errorf("%d words, version %d", len(th.Messages), th.Version)
		}
	})
}

func photo(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 40, 30))
	m.Set(3, 3, color.White)
	var out bytes.Buffer
	must(t, jpeg.Encode(&out, m, nil))
	b := out.Bytes() // what tells of a place goes behind the first marker
	exif := append([]byte{0xff, 0xe1, 0, 24}, []byte("Exif\x00\x00GPS canary 31.2N")...)
	return append(append(append([]byte{}, b[:2]...), exif[:26]...), b[2:]...)
}

func TestAFileIsWhatItsBytesSay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.Customer(t, "sender")
		k := r.created(t, p)
		picture := photo(t)
		if !bytes.Contains(picture, []byte("canary")) {
			t.Fatal("the picture says nothing of a place")
		}
		for _, c := range []struct {
			name, want, media string
			content           []byte
			quarantined       bool
		}{
			{`C:\pics\me.jpg`, "me.jpg", "image/jpeg", picture, false},
			{"../../etc/x\u202egpj.exe", "xgpj.exe", "application/octet-stream", []byte("MZ\x00\x01program"), true},
			{"a.png", "a.png", "text/plain", []byte("<script>alert(1)</script>"), false},
			{"...", "file", "application/octet-stream", []byte("%PDF-1.7\n\x00\xff"), true},
		} {
			f, err := r.s.Attach(ctx, p, k.ID, c.name, c.content)
			must(t, err)
			if f.Name != c.want || f.Media != c.media || f.Quarantined != c.quarantined {
				t.Errorf("%q: got %+v", c.name, f)
			}
			_, own, err := r.s.Fetch(ctx, p, k.ID, f.ID)
			must(t, err)
			if bytes.Contains(own, []byte("canary")) {
				t.Error("a picture still tells of a place")
			}
			_, _, err = r.s.FetchForStaff(ctx, staff, k.ID, f.ID)
			if !c.quarantined {
				must(t, err)
				continue
			}
			code(t, "a file in quarantine", err, "ticket.quarantined")
			must(t, r.s.Release(ctx, staff, k.ID, f.ID))
			code(t, "let out twice", r.s.Release(ctx, staff, k.ID, f.ID), "ticket.file_not_found")
			_, got, err := r.s.FetchForStaff(ctx, staff, k.ID, f.ID)
			if err != nil || !bytes.Equal(got, c.content) {
				t.Errorf("let out: %q, %v", got, err)
			}
		}
		for what, content := range map[string][]byte{"empty": {}, "large": make([]byte, ticket.MaxFile+1), "cut": picture[:len(picture)-20]} {
			_, err := r.s.Attach(ctx, p, k.ID, "x.jpg", content)
			code(t, what, err, "ticket.file")
		}
	})
}

// A ticket that asks about personal data goes to the rights desk once, with the
// time at which it came.
func TestHandedOverWithItsTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.Customer(t, "asker")
		k := r.created(t, p)
		r.Clock.Advance(5 * 24 * time.Hour)
		request, err := r.s.HandOver(ctx, staff, k.ID, "access")
		must(t, err)
		if len(r.ports.asked) != 1 || !r.ports.asked[0].At.Equal(k.OpenedAt) || !strings.Contains(r.ports.asked[0].Words, "after an hour") {
			t.Errorf("the desk got %+v", r.ports.asked)
		}
		if th := r.state(t, p, k.ID); th.Request != request || th.State != ticket.Resolved {
			t.Errorf("handed over: %+v", th)
		}
		_, err = r.s.HandOver(ctx, staff, k.ID, "access")
		code(t, "twice", err, "ticket.handed_over")
	})
}

func TestATicketEndsTwelveMonthsAfterItsClose(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.Customer(t, "asker")
		k := r.created(t, p)
		live := r.created(t, p)
		must(t, r.s.AddNote(ctx, staff, k.ID, "x"))
		_, err := r.s.Attach(ctx, p, k.ID, "x", []byte("y"))
		must(t, err)
		must(t, r.s.Close(ctx, p, k.ID))
		run := func(held bool) retention.Result {
			all, err := r.s.Retain(ctx, retention.Run{Now: r.Clock.Now(), Profile: consent.Mainland, Held: func(string, id.Handle) bool { return held }})
			must(t, err)
			return all[0]
		}
		r.Clock.Advance(civil.DayOf(r.Clock.Now()).AddMonths(12).Start().Add(-time.Hour).Sub(r.Clock.Now()))
		if got := run(false); got.Destroyed != 0 {
			t.Errorf("early: %+v", got)
		}
		r.Clock.Advance(26 * time.Hour)
		if got := run(true); got.Held != 1 || got.Destroyed != 0 {
			t.Errorf("held: %+v", got)
		}
		if got := run(false); got.Destroyed != 1 {
			t.Errorf("over: %+v", got)
		}
		for _, table := range []string{"ticket_ticket", "ticket_message", "ticket_note", "ticket_file"} {
			n, err := db.Get(ctx, r.DB, nil, db.One[int64], map[string]string{
				"ticket_ticket": "SELECT count(*) FROM ticket_ticket WHERE id = $1", "ticket_message": "SELECT count(*) FROM ticket_message WHERE ticket = $1",
				"ticket_note": "SELECT count(*) FROM ticket_note WHERE ticket = $1", "ticket_file": "SELECT count(*) FROM ticket_file WHERE ticket = $1",
			}[table], k.ID)
			if err != nil || n != 0 {
				t.Errorf("%s: %d rows left, %v", table, n, err)
			}
		}
		if th := r.state(t, p, live.ID); len(th.Messages) != 1 {
			t.Errorf("one that is not closed lost %+v", th)
		}
	})
}

func TestAnswersKeptReady(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		c, err := r.s.KeepReady(ctx, staff, ticket.Canned{Title: " update ", Chinese: "请更新。", English: "Please update."})
		must(t, err)
		c.English = "Please update first."
		_, err = r.s.KeepReady(ctx, staff, c)
		must(t, err)
		all, err := r.s.CannedReplies(ctx)
		if err != nil || len(all) != 1 || all[0].Title != "update" || all[0].English != "Please update first." {
			t.Errorf("got %+v, %v", all, err)
		}
		_, err = r.s.KeepReady(ctx, staff, ticket.Canned{Title: "one language", Chinese: "一"})
		code(t, "one language", err, "ticket.canned")
		must(t, r.s.DropReady(ctx, c.ID))
		code(t, "dropped twice", r.s.DropReady(ctx, c.ID), "ticket.canned_not_found")
		_, err = r.s.KeepReady(ctx, staff, c)
		code(t, "changed after it was dropped", err, "ticket.canned_not_found")
	})
}

func TestTheQueueShowsWhatIsDueFirstAndNoWords(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.Customer(t, "asker")
		later := r.created(t, p)
		n := plain()
		n.Priority, n.Department = ticket.Urgent, ticket.Billing
		first, err := r.s.Create(ctx, p, n)
		must(t, err)
		answered := r.created(t, p)
		must(t, r.s.Answer(ctx, staff, answered.ID, "?"))
		ids := func(f ticket.Filter) string {
			all, err := r.s.Queue(ctx, staff, f)
			must(t, err)
			var names []string
			for _, k := range all {
				names = append(names, k.ID)
			}
			return strings.Join(names, " ")
		}
		if got, want := ids(ticket.Filter{}), first.ID+" "+later.ID+" "+answered.ID; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got := ids(ticket.Filter{Department: ticket.Billing}); got != first.ID {
			t.Errorf("of billing: %s", got)
		}
		if got := ids(ticket.Filter{Mine: true}); got != answered.ID {
			t.Errorf("mine: %s", got)
		}
		r.Clock.Advance(2 * time.Hour)
		if n, err := r.s.Late(ctx); err != nil || n != 1 {
			t.Errorf("late: %d, %v", n, err)
		}
		reads, err := r.Audit.Reads(ctx, p.Subject, audit.ReadFilter{})
		if err != nil || len(reads) != 0 {
			t.Errorf("the queue read %+v, %v", reads, err)
		}
		must(t, r.s.Sort(ctx, staff, first.ID, ticket.Technical, ticket.Low))
		if n, err := r.s.Late(ctx); err != nil || n != 0 {
			t.Errorf("sorted anew: %d late, %v", n, err)
		}
	})
}

func TestTheDataMapIsTheSchema(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		live, err := r.DB.Schema(ctx)
		must(t, err)
		for table := range live {
			if !strings.HasPrefix(table, "ticket_") {
				delete(live, table)
			}
		}
		must(t, holding.Verify(ticket.Holdings(), live))
		for _, profile := range []string{consent.Mainland, consent.HongKong} {
			must(t, consent.Declared(profile, ticket.Holdings()))
		}
	})
}

func FuzzSniff(f *testing.F) {
	f.Add([]byte("text"))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, content []byte) {
		kept, media, quarantined, err := ticket.Sniff(content)
		switch {
		case err != nil && kept != nil:
			t.Error("a refused file is kept")
		case err == nil && quarantined != (media == "application/octet-stream"):
			t.Errorf("%s, quarantined %v", media, quarantined)
		}
	})
}
