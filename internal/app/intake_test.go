package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// beat tries every channel that has an adapter, as the jobs do.
func (in *rig) beat() {
	in.t.Helper()
	all, err := in.modules.privacy.Channels(context.Background())
	must(in.t, err)
	for _, c := range all {
		if c.Adapter != "" {
			must(in.t, in.modules.privacy.Try(context.Background(), c.ID))
		}
	}
}

func (in *rig) arrived() (channels []string) {
	in.t.Helper()
	channels, err := db.Select(context.Background(), in.stores.main, db.One[string], "SELECT channel FROM privacy_request ORDER BY channel")
	must(in.t, err)
	return channels
}

// A message by every channel that the texts print opens a case, through the real
// mailboxes, forms and pages; and none of the channels is silent.
func TestEveryPrintedChannelOpensACase(t *testing.T) {
	t.Parallel()
	in := install(t)
	p, boss := in.register("intake-1"), in.boss()
	for box, to := range map[string]string{"service": "service@demo.invalid", "privacy": "privacy@demo.invalid", "dpo": "dpo@demo.invalid"} {
		must(t, in.mails.Deliver(box, fmt.Appendf(nil, "From: p@example.org\r\nTo: %s\r\nMessage-ID: <%s@example.org>\r\nSubject: my data\r\n\r\ncanary of a mail\r\n", to, box)))
	}
	in.beat()
	for _, channel := range []string{"console", "client", "assistant"} {
		p.do(201, "POST", "/data-subject-requests", object{"kind": "question", "words": "x", "channel": channel})
	}
	boss.do(201, "POST", "/admin/data-subject-requests", object{"user_name": p.name, "channel": "phone", "kind": "question", "words": "x"})
	link := boss.do(201, "POST", "/admin/request-links", nil).str("url")
	_, token, _ := strings.Cut(link, "#token=")
	(&person{in: in, name: "nobody"}).do(201, "POST", "/request-links/use", object{"token": token, "kind": "question", "words": "x", "answer": "q@example.org"})
	printed, err := consent.Printed(in.cfg.Profile, facts(in.cfg, nil).Operator)
	must(t, err)
	if got := in.arrived(); !slices.Equal(got, slices.Sorted(slices.Values(printed))) {
		t.Errorf("cases by %v, printed are %v", got, printed)
	}
	examined, found, err := in.modules.privacy.SilentPrinted(context.Background())
	if err != nil || int(examined) != len(printed) || found != 0 {
		t.Errorf("%d of %d are silent, %v", found, examined, err)
	}
	in.drain()
	queue := boss.do(200, "GET", "/admin/data-subject-requests", nil)
	if !strings.Contains(queue.text, `"addressed":"dpo"`) {
		t.Error("the person in charge does not see what is addressed to them")
	}
	for _, look := range []string{in.log.String(), queue.text} {
		if strings.Contains(look, "canary") || strings.Contains(look, "p@example.org") {
			t.Error("a log or the queue tells what was written")
		}
	}
}

// What is posted in the group, what the page knows before it is used and what
// comes back say nothing of anybody (clause LT-8a).
func TestALinkForTheGroupSaysNothingOfAnybody(t *testing.T) {
	t.Parallel()
	in := install(t)
	p, boss, nobody := in.register("canary-of-a-name"), in.boss(), &person{in: in, name: "nobody"}
	told := []string{"canary-of-a-name", OperatorName, "sub_", "acc_", "example.org"}
	for who, made := range map[string]answer{
		"staff": boss.do(201, "POST", "/admin/request-links", nil), "a customer": p.do(201, "POST", "/request-links", nil), "anybody": nobody.do(201, "POST", "/request-links", nil),
	} {
		base, token, _ := strings.Cut(made.str("url"), "#token=")
		opened := nobody.do(200, "POST", "/request-links/open", object{"token": token})
		page := in.send("", "GET", "/ask", "")
		if base != strings.TrimSuffix(in.cfg.Console.URL, "/")+"/ask" || len(made.json) != 2 || len(opened.json) != 1 || page.status != 200 {
			t.Errorf("%s: got %s, %s, %d", who, made, opened, page.status)
		}
		used := nobody.do(201, "POST", "/request-links/use", object{"token": token, "kind": "access", "words": "canary of words", "answer": "q@example.org"})
		nobody.do(410, "POST", "/request-links/use", object{"token": token, "kind": "access", "words": "x", "answer": "q@example.org"})
		nobody.do(410, "POST", "/request-links/open", object{"token": token})
		for _, word := range told {
			for what, text := range map[string]string{"link": made.text, "state": opened.text, "page": page.text, "receipt": used.text} {
				if strings.Contains(text, word) {
					t.Errorf("%s: the %s tells %s", who, what, word)
				}
			}
		}
		if strings.Contains(in.log.String(), token) || strings.Contains(in.log.String(), "canary of words") {
			t.Errorf("%s: the log has the token or the words", who)
		}
	}
}

func TestLinksOfOneSourceAreLimited(t *testing.T) {
	t.Parallel()
	in := install(t)
	limited := 0
	for range linksAtOnce + 5 {
		if a := in.sendFrom("198.18.255.1:1000", "POST", "/api/v1/request-links", ""); a.status == 429 {
			limited++
		}
	}
	if limited < 4 {
		t.Errorf("%d of %d were refused", limited, linksAtOnce+5)
	}
}

// A text is not published while a channel that it prints is silent.
func TestNothingIsPublishedWhileAMailboxIsAway(t *testing.T) {
	t.Parallel()
	in := install(t)
	silent, err := in.modules.privacy.Silent(context.Background())
	if err != nil || !slices.Contains(silent, privacy.ChannelPrivacyMail) {
		t.Errorf("before the first beat: %v, %v", silent, err)
	}
	in.beat()
	if silent, err = in.modules.privacy.Silent(context.Background()); err != nil || len(silent) != 0 {
		t.Errorf("after it: %v, %v", silent, err)
	}
}
