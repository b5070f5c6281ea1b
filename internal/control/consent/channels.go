package consent

import (
	"context"
	"fmt"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/control/clause"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Channels tells which channels for requests of data subjects do not answer. The
// module privacy, which stands later, fills it.
type Channels interface {
	Silent(ctx context.Context) ([]string, error)
}

// printing are the markers by which a text prints a channel, with its id in the
// module privacy.
var printing = map[string]string{
	"mail": "service_mail", "privacy_mail": "privacy_mail", "phone": "phone", "dpo_contact": "dpo",
	"assistant": "assistant", "rights_form": "console", "client_form": "client", "qq_group": "qq",
}

// Printed lists the channels that the texts of a profile print (clause TY-0c). A
// QQ group is printed where the operator has one.
func Printed(profile string, o Operator) ([]string, error) {
	var all []string
	for _, document := range documentsOf(profile) {
		src, err := loadText(document, Locales[0], profile)
		if err != nil {
			return nil, err
		}
		all = append(all, src.prints(o)...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func (s source) prints(o Operator) (all []string) {
	for _, b := range s.Blocks {
		for _, m := range marker.FindAllStringSubmatch(b.Text, -1) {
			if id, ok := printing[m[1]]; ok && (id != "qq" || o.QQGroup != "") {
				all = append(all, id)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// unanswered is what stands against a text that prints a channel at which nobody
// answers (clause TY-0c). What cannot be asked stands against it too.
func (s *Service) unanswered(ctx context.Context, c candidate) (problems []clause.Problem) {
	if s.d.Channels == nil || mutant.Off("TY-0c") {
		return nil
	}
	silent, err := s.d.Channels.Silent(ctx)
	if err != nil {
		return []clause.Problem{{Clause: "TY-0c", What: fmt.Sprintf("the channels cannot be asked: %v", err), Promise: true}}
	}
	for _, id := range c.sources[Locales[0]].prints(s.d.Facts.Operator) {
		if slices.Contains(silent, id) {
			problems = append(problems, clause.Problem{Clause: "TY-0c", What: "prints the channel " + id + ", which nothing live answers", Promise: true})
		}
	}
	return problems
}
