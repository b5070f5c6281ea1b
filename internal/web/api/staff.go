package api

import (
	"context"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// StaffRole is a role with what it may do and the roles that it excludes.
type StaffRole struct {
	Role        string   `json:"role" enum:"system,security,audit,desk,identity"`
	Permissions []string `json:"permissions" nullable:"false"`
	Excludes    []string `json:"excludes" nullable:"false"`
}

// StaffMember is a member of the staff with what is in force.
type StaffMember struct {
	UserName       string     `json:"user_name"`
	Subject        string     `json:"subject" example:"sub_..."`
	Own            bool       `json:"own" doc:"It is you: somebody else changes your roles"`
	Power          string     `json:"power" enum:",system,security,audit,founding" doc:"founding: began the installation alone, and holds what nobody else holds"`
	Emergency      string     `json:"emergency" enum:",system,security" doc:"In the place of power, until emergency_until"`
	EmergencyUntil *time.Time `json:"emergency_until,omitempty"`
	FoundingUntil  *time.Time `json:"founding_until,omitempty"`
	Roles          []string   `json:"roles" nullable:"false" doc:"Whose permissions are all in force"`
	Permissions    []string   `json:"permissions" nullable:"false"`
	Combined       bool       `json:"combined" doc:"Its stored permissions are of more than one power; those of the one held are in force. Give its roles anew"`
}

// Staffing is the staff, and the roles there are.
type Staffing struct {
	Members []StaffMember `json:"members" nullable:"false"`
	Roles   []StaffRole   `json:"roles" nullable:"false"`
}

// RoleGift names a role.
type RoleGift struct {
	Role string `json:"role" enum:"system,security,audit,desk,identity"`
}

// ReadStop is a reader who opened the data of more than 50 people within an hour.
type ReadStop struct {
	ID         string     `json:"id" example:"stop_..."`
	Class      string     `json:"class" enum:"staff,job"`
	Reader     string     `json:"reader" doc:"User name, or the kind of a job"`
	Own        bool       `json:"own" doc:"It is you: somebody else allows it"`
	At         time.Time  `json:"at"`
	Tries      int64      `json:"tries" doc:"Readings refused since"`
	Releaser   string     `json:"releaser" doc:"User name; empty while it stands"`
	Reason     string     `json:"reason"`
	ReleasedAt *time.Time `json:"released_at,omitempty"`
}

// StopRelease says why a reader may go on.
type StopRelease struct {
	Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"Id of the ticket or case; no personal data"`
}

// StaffOf registers who of the staff may do what, and the stop of readers.
func StaffOf(a *API, s *account.Service, log *audit.Service) {
	const tag = "Staff"
	read, write := Staff(account.PermStaffRead), Staff(account.PermStaffWrite)
	Get(a, "/admin/staff", Operation{ID: "list-staff", Summary: "The staff, their roles, and what excludes what", Tag: tag, Access: read},
		func(ctx context.Context, _ *struct{}) (*Body[Staffing], error) {
			all, err := s.Members(ctx)
			me := Who(ctx).Subject
			return &Body[Staffing]{Staffing{Items(all, func(m account.Member) StaffMember { return toMember(m, me) }), Items(account.Roles(), toRole)}}, err
		})
	Post(a, "/admin/staff/{name}/roles", Operation{
		ID: "give-staff-role", Summary: "Give a role", Tag: tag, Access: write, Status: 204,
		Detail: "Nobody gives to themselves. Needs a proof of identity within the last ten minutes.",
	},
		func(ctx context.Context, in *struct {
			Name string `path:"name" maxLength:"32"`
			Body RoleGift
		},
		) (*struct{}, error) {
			return nil, s.GiveRole(ctx, Who(ctx), in.Name, account.Role(in.Body.Role))
		})
	Delete(a, "/admin/staff/{name}/roles/{role}", Operation{ID: "take-staff-role", Summary: "Take a role away", Tag: tag, Access: write, Status: 204},
		func(ctx context.Context, in *struct {
			Name string `path:"name" maxLength:"32"`
			Role string `path:"role" enum:"system,security,audit,desk,identity"`
		},
		) (*struct{}, error) {
			return nil, s.TakeRole(ctx, Who(ctx), in.Name, account.Role(in.Role))
		})
	Get(a, "/admin/read-stops", Operation{ID: "list-read-stops", Summary: "Readers who were stopped, those who still are first", Tag: tag, Access: read},
		func(ctx context.Context, _ *struct{}) (*Body[List[ReadStop]], error) {
			stops, err := log.Stops(ctx)
			if err != nil {
				return nil, err
			}
			members, err := s.Members(ctx)
			names, me := map[string]string{}, Who(ctx).Subject
			for _, m := range members {
				names[string(m.Subject)] = m.Name
			}
			return page(stops, "", err, func(x audit.Stop) ReadStop { return toStop(x, names, me) })
		})
	Post(a, "/admin/read-stops/{id}/release", Operation{
		ID: "release-read-stop", Summary: "Allow a reader to go on, counted anew", Tag: tag, Access: Staff(account.PermReadRelease), Status: 204,
	},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body StopRelease
		},
		) (*struct{}, error) {
			p := Who(ctx)
			return nil, log.Release(ctx, audit.Actor{Class: "staff", Handle: p.Subject, Session: p.Session}, in.ID, in.Body.Reason)
		})
}

func toRole(r account.Role) StaffRole {
	out := StaffRole{string(r), r.Permissions(), []string{}}
	for _, other := range account.Roles() {
		if _, err := account.PowerOf(account.PermissionsOf(r, other)); err != nil {
			out.Excludes = append(out.Excludes, string(other))
		}
	}
	return out
}

func toMember(m account.Member, me id.Handle) StaffMember {
	out := StaffMember{
		UserName: m.Name, Subject: string(m.Subject), Own: m.Subject == me, Power: string(m.Power), Emergency: string(m.Emergency),
		EmergencyUntil: toTime(m.Until), Roles: []string{}, Permissions: append([]string{}, m.Permissions...), Combined: m.Combined,
	}
	if m.Power == account.Founding {
		out.FoundingUntil = toTime(m.Since.Add(account.FoundingLife))
	}
	for _, r := range account.Roles() {
		if !slices.ContainsFunc(r.Permissions(), func(p string) bool { return !slices.Contains(m.Permissions, p) }) {
			out.Roles = append(out.Roles, string(r))
		}
	}
	return out
}

func toStop(x audit.Stop, names map[string]string, me id.Handle) ReadStop {
	reader := x.Reader
	if name := names[reader]; name != "" {
		reader = name
	}
	return ReadStop{x.ID, x.Class, reader, x.Reader == string(me), x.At, x.Tries, names[string(x.Releaser)], x.Reason, toTime(x.ReleasedAt)}
}
