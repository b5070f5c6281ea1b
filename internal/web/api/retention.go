package api

import (
	"context"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// RetentionRun is what a nightly run did with one class of data.
type RetentionRun struct {
	Run       string    `json:"run"`
	At        time.Time `json:"at"`
	Class     string    `json:"class" example:"netlog" doc:"Retention class; empty: nothing was looked at"`
	Examined  int64     `json:"examined" doc:"Records whose floor is over"`
	Destroyed int64     `json:"destroyed"`
	Held      int64     `json:"held" doc:"Kept by a lawful hold"`
	Overdue   int64     `json:"overdue" doc:"Kept longer than the ceiling until this run"`
	Problem   string    `json:"problem" enum:",clock,failed" doc:"clock: put off, since the clock jumped"`
}

// RetentionClass is how long a class of data is kept.
type RetentionClass struct {
	ID      string        `json:"id" example:"netlog"`
	From    string        `json:"from" doc:"The event that the time begins with"`
	Law     []string      `json:"law" nullable:"false" doc:"That sets the floor"`
	Floor   RetentionSpan `json:"floor" doc:"All zero: none; it goes when its purpose ends"`
	Ceiling RetentionSpan `json:"ceiling"`
	Lasting bool          `json:"lasting" doc:"Holds no personal data: never destroyed"`
}

// RetentionSpan is a time: months first, then days, working days or hours.
type RetentionSpan struct {
	Months      int `json:"months"`
	Days        int `json:"days"`
	WorkingDays int `json:"working_days"`
	Hours       int `json:"hours"`
}

// Hold keeps data beyond its time because a law or an authority wants it.
type Hold struct {
	ID        string     `json:"id"`
	Subject   string     `json:"subject" doc:"Handle; empty: of everybody"`
	Class     string     `json:"class" doc:"Retention class; empty: every class"`
	Law       string     `json:"law"`
	Authority string     `json:"authority"`
	PlacedBy  string     `json:"placed_by"`
	PlacedAt  time.Time  `json:"placed_at"`
	Until     time.Time  `json:"until"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
}

// NewHold is a hold to place.
type NewHold struct {
	Subject   string    `json:"subject,omitempty" maxLength:"40" doc:"Handle; empty: of everybody, then class is needed"`
	Class     string    `json:"class,omitempty" maxLength:"40"`
	Law       string    `json:"law" minLength:"1" maxLength:"200" example:"CSL 28"`
	Authority string    `json:"authority" minLength:"1" maxLength:"200"`
	Until     time.Time `json:"until" doc:"Within twelve months"`
}

// OwnHold is what a person may know of a hold on their data.
type OwnHold struct {
	Class string    `json:"class" doc:"Retention class; empty: everything"`
	Law   string    `json:"law"`
	Until time.Time `json:"until"`
}

// Retention registers what is kept beyond its time, for the person and for
// staff, and what the nightly runs did.
func Retention(a *API, s *privacy.Service) {
	Get(a, "/me/holds", Operation{ID: "list-own-holds", Summary: "What the law has us keep of you beyond its time", Tag: "Privacy", Access: SignedIn},
		func(ctx context.Context, _ *struct{}) (*Body[List[OwnHold]], error) {
			all, err := s.HeldOf(ctx, Who(ctx).Subject)
			return page(all, "", err, func(h privacy.Hold) OwnHold { return OwnHold{h.Class, h.Law, h.Until} })
		})
	Get(a, "/admin/retention-runs", Operation{ID: "list-retention-runs", Summary: "What the nightly runs destroyed, newest first", Tag: "Staff", Access: Staff(account.PermRetentionRead)},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[RetentionRun]], error) {
			all, err := s.RetentionRuns(ctx, in.Limit)
			return page(all, "", err, func(r privacy.RetentionRun) RetentionRun {
				return RetentionRun{r.Run, r.At, r.Class, r.Examined, r.Destroyed, r.Held, r.Overdue, r.Problem}
			})
		})
	Get(a, "/admin/retention-classes", Operation{ID: "list-retention-classes", Summary: "How long each class of data is kept: floor and ceiling", Tag: "Staff", Access: Staff(account.PermRetentionRead)},
		func(context.Context, *struct{}) (*Body[List[RetentionClass]], error) {
			return page(retention.Classes(), "", nil, func(c retention.Class) RetentionClass {
				return RetentionClass{c.ID, c.From, append([]string{}, c.Law...), RetentionSpan(c.Floor), RetentionSpan(c.Ceiling[s.Profile()]), c.Lasting}
			})
		})
	Get(a, "/admin/holds", Operation{ID: "list-holds", Summary: "Lawful holds, newest first", Tag: "Staff", Access: Staff(account.PermRetentionRead)},
		func(ctx context.Context, _ *struct{}) (*Body[List[Hold]], error) {
			all, err := s.Holds(ctx)
			return page(all, "", err, toHold)
		})
	Post(a, "/admin/holds", Operation{
		ID: "place-hold", Summary: "Keep data beyond its time", Tag: "Staff", Access: Staff(account.PermRetentionHold), Status: 201,
		Detail: "The person sees that it is kept, by which law and until when.",
	},
		func(ctx context.Context, in *struct{ Body NewHold }) (*Body[Hold], error) {
			b := in.Body
			h, err := s.PlaceHold(ctx, Who(ctx), privacy.Hold{
				Subject: id.Handle(strings.TrimSpace(b.Subject)), Class: b.Class, Law: b.Law, Authority: b.Authority, Until: b.Until,
			})
			return &Body[Hold]{toHold(h)}, err
		})
	Post(a, "/admin/holds/{id}/end", Operation{ID: "end-hold", Summary: "End a hold before its time", Tag: "Staff", Access: Staff(account.PermRetentionHold), Status: 204},
		func(ctx context.Context, in *holdPath) (*struct{}, error) {
			return nil, s.EndHold(ctx, Who(ctx), in.ID)
		})
}

func toHold(h privacy.Hold) Hold {
	return Hold{
		h.ID, string(h.Subject), h.Class, h.Law, h.Authority, string(h.PlacedBy), h.PlacedAt, h.Until, toTime(h.EndedAt),
	}
}

type holdPath struct {
	ID string `path:"id" maxLength:"40"`
}
