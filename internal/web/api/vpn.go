package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/web/problem"
)

// VPNGateway is a VPN gateway on the wire.
type VPNGateway struct {
	ID             string    `json:"id" example:"vpngw-..."`
	Name           string    `json:"name"`
	Description    string    `json:"description"`
	Region         string    `json:"region"`
	Network        string    `json:"network" doc:"Id of the private network"`
	LocalSubnets   []string  `json:"local_subnets" nullable:"false" doc:"Subnets of the private network that the gateway is for; none = all of it"`
	State          string    `json:"state" enum:"creating,active,updating,frozen,deleting,error"`
	Problem        string    `json:"problem,omitempty" doc:"Code of what is wrong"`
	Services       []string  `json:"services" nullable:"false" doc:"What was bought: ssl, ipsec"`
	SSLBandwidth   int       `json:"ssl_bandwidth" doc:"Mbit/s in each direction; 0 without the service"`
	SSLConnections int       `json:"ssl_connections" doc:"Concurrent sessions"`
	Addresses      []string  `json:"addresses" nullable:"false" doc:"Public addresses"`
	Version        int64     `json:"version"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// VPNGatewayPatch changes a gateway; what is left out stays.
type VPNGatewayPatch struct {
	Name         *string   `json:"name,omitempty" maxLength:"256"`
	Description  *string   `json:"description,omitempty" maxLength:"512" doc:"Up to 128 characters, not beginning with http: or https:"`
	Network      *string   `json:"network,omitempty" maxLength:"64" doc:"Another private network of its region; local_subnets are all of it then, unless given"`
	LocalSubnets *[]string `json:"local_subnets,omitempty" maxItems:"50" doc:"Within the private network; none = all of it"`
	Version      int64     `json:"version,omitempty" doc:"Refuse if it changed since this version"`
}

// Network is a private network that gateways may join.
type Network struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Region   string   `json:"region"`
	Prefixes []string `json:"prefixes" nullable:"false"`
}

// Traffic is the traffic of a gateway in steps.
type Traffic struct {
	StepSeconds int             `json:"step_seconds"`
	Items       []TrafficSample `json:"items" nullable:"false" doc:"Steps without a report are left out"`
}

// TrafficSample is the traffic of one step.
type TrafficSample struct {
	At       time.Time `json:"at"`
	BytesIn  uint64    `json:"bytes_in" doc:"From the clients"`
	BytesOut uint64    `json:"bytes_out"`
	Sessions int       `json:"sessions"`
}

// ResourceID is the path parameter of one resource; exported because the library
// reads embedded fields of exported types only.
type ResourceID struct {
	ID string `path:"id" maxLength:"40"`
}

type trafficInput struct {
	ResourceID
	Hours int `query:"hours" minimum:"1" maximum:"24" default:"1"`
}

// VPNGateways registers the operations of VPN gateways and networks, and the
// event stream.
func VPNGateways(a *API, s *vpn.Service, now func() time.Time) {
	const tag = "VPN gateways"
	Get(a, "/vpn-gateways", Operation{ID: "list-vpn-gateways", Summary: "Your VPN gateways", Tag: tag, Access: Customer},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[VPNGateway]], error) {
			all, next, err := s.Gateways(ctx, Who(ctx).Account, vpn.Page{Limit: in.Limit, Cursor: in.Cursor})
			return page(all, next, err, toGateway)
		})
	Get(a, "/vpn-gateways/{id}", Operation{ID: "get-vpn-gateway", Summary: "One VPN gateway", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ResourceID) (*Body[VPNGateway], error) {
			g, err := s.Gateway(ctx, Who(ctx).Account, in.ID)
			return &Body[VPNGateway]{toGateway(g)}, err
		})
	Patch(a, "/vpn-gateways/{id}", Operation{
		ID: "update-vpn-gateway", Summary: "Change a VPN gateway", Tag: tag, Access: Customer, IfMatch: true,
		Detail: "No session ends. What clients reach follows at once, their routes with their next connection. Refused while an SSL server names a local subnet that would no longer be the gateway's, or has a pool that overlaps with the other private network.",
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Body VPNGatewayPatch
		},
		) (*Body[VPNGateway], error) {
			change, err := in.Body.change()
			if err != nil {
				return nil, err
			}
			g, err := s.UpdateGateway(ctx, Who(ctx), in.ID, in.Body.Version, change)
			return &Body[VPNGateway]{toGateway(g)}, err
		})
	Get(a, "/vpn-gateways/{id}/traffic", Operation{ID: "get-vpn-gateway-traffic", Summary: "Traffic of the last hours", Tag: tag, Access: Customer},
		func(ctx context.Context, in *trafficInput) (*Body[Traffic], error) {
			all, err := s.Traffic(ctx, Who(ctx).Account, in.ID, now().Add(-time.Duration(in.Hours)*time.Hour))
			return &Body[Traffic]{Traffic{int(fleet.SampleEvery.Seconds()), Items(all, toSample)}}, err
		})
	Get(a, "/networks", Operation{ID: "list-networks", Summary: "Private networks that a gateway may join", Tag: tag, Access: Customer},
		func(ctx context.Context, in *struct {
			Region string `query:"region" maxLength:"64"`
		},
		) (*Body[List[Network]], error) {
			return &Body[List[Network]]{List[Network]{Items: Items(s.Networks(ctx, Who(ctx).Account, in.Region), toNetwork)}}, nil
		})
	for _, k := range vpn.Kinds() {
		a.watched = append(a.watched, watched{
			string(k),
			func(ctx context.Context, owner account.ID) (string, error) { return s.Mark(ctx, k, owner) },
			func(ctx context.Context, owner account.ID) (map[string]int64, error) {
				return s.Versions(ctx, k, owner)
			},
		})
	}
	a.opt.Mux.Handle("GET "+Prefix+"/events", a.events(s))
}

// page makes a list answer of what a module's list method returns.
func page[F, T any](all []F, next string, err error, convert func(F) T) (*Body[List[T]], error) {
	if err != nil {
		return nil, err
	}
	return &Body[List[T]]{List[T]{Items(all, convert), next}}, nil
}

func (r VPNGatewayPatch) change() (c vpn.GatewayChange, err error) {
	c.Name, c.Description, c.Network = r.Name, r.Description, r.Network
	if r.LocalSubnets != nil {
		var all []netip.Prefix
		all, err = parseAll(*r.LocalSubnets, netip.ParsePrefix, vpn.ErrGatewaySubnets.With("limit", vpn.MaxGatewaySubnets))
		c.LocalSubnets = &all
	}
	return c, err
}

func toGateway(g vpn.Gateway) VPNGateway {
	services := []string{}
	if g.HasSSL() {
		services = append(services, catalog.ServiceSSL)
	}
	return VPNGateway{
		Services: services,
		ID:       g.ID, Name: g.Name, Description: g.Description, Region: g.Region, Network: g.Network, LocalSubnets: Items(g.LocalSubnets, netip.Prefix.String), State: string(g.State), Problem: g.Problem,
		SSLBandwidth: g.SSLBandwidth, SSLConnections: g.SSLConnections, Addresses: Items(g.Addresses, netip.Addr.String),
		Version: g.Version, CreatedAt: g.CreatedAt, UpdatedAt: g.UpdatedAt,
	}
}

func toNetwork(n vpn.Network) Network {
	return Network{n.ID, n.Name, n.Region, Items(n.Prefixes, netip.Prefix.String)}
}

func toSample(p fleet.Sample) TrafficSample {
	return TrafficSample{p.At, p.BytesIn, p.BytesOut, p.Sessions}
}

// GatewayEvent is what an event stream tells of a gateway that changed.
type GatewayEvent struct {
	Gateway  string `json:"gateway"`
	State    string `json:"state"`
	Version  int64  `json:"version"`
	Sessions int    `json:"sessions"`
	BytesIn  uint64 `json:"bytes_in"`
	BytesOut uint64 `json:"bytes_out"`
}

const (
	eventEvery  = time.Second      // how often changes are looked for
	eventAlive  = 15 * time.Second // a comment, so that proxies keep the stream
	eventWrite  = 10 * time.Second // a reader that takes nothing for so long is cut off
	eventAtMost = time.Hour        // then the browser reconnects and is admitted anew
)

// events streams changes of the caller's gateways, with their counters, and of
// what else is watched as server-sent events. It is
// outside the API library, which answers whole bodies only.
func (a *API) events(s *vpn.Service) http.HandlerFunc {
	open := streams{of: map[account.ID]*watchers{}}
	return func(w http.ResponseWriter, r *http.Request) {
		p, err := a.Admit(r, Customer)
		var shared *sight
		if err == nil {
			shared, err = open.enter(p.Account)
		}
		if err != nil {
			problem.Write(w, r, a.opt.Log, err)
			return
		}
		defer open.leave(p.Account)
		ctx, cancel := context.WithTimeout(r.Context(), eventAtMost)
		defer cancel()
		out := http.NewResponseController(w)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		st := stream{api: a, vpn: s, who: p, w: w, out: out, last: map[string]vpn.Pulse{}, sight: shared}
		st.run(ctx, r)
	}
}

// ErrStreams refuses one more event stream: each asks the database every
// second.
var ErrStreams = errs.New(errs.Limited, "api.too_many_streams").With("max", streamsAtMost)

// streamsAtMost is how many event streams an account may have at a process.
const streamsAtMost = 32

// streams knows the open event streams of accounts.
type streams struct {
	mu sync.Mutex
	of map[account.ID]*watchers
}

// watchers are the open event streams of one account.
type watchers struct {
	count int
	sight sight
}

func (s *streams) enter(who account.ID) (*sight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.of[who]
	if all == nil {
		all = &watchers{}
		s.of[who] = all
	}
	if all.count >= streamsAtMost {
		return nil, ErrStreams
	}
	all.count++
	return &all.sight, nil
}

func (s *streams) leave(who account.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[who].count--; s.of[who].count == 0 {
		delete(s.of, who)
	}
}

// stream is one open event stream.
type stream struct {
	api  *API
	vpn  *vpn.Service
	who  account.Principal
	w    http.ResponseWriter
	out  *http.ResponseController
	last map[string]vpn.Pulse
	// Of the other kinds: what all streams of the account see, and what was told.
	sight *sight
	seen  []seen
}

func (st *stream) run(ctx context.Context, r *http.Request) {
	if err := st.write(": connected\n\n"); err != nil {
		return
	}
	tick := time.NewTicker(eventEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		if n > 0 && n%int(eventAlive/eventEvery) == 0 {
			// A session that ended, or consent that was withdrawn, ends the stream too.
			if _, err := st.api.Admit(r.WithContext(ctx), Customer); err != nil {
				return
			}
			if err := st.write(": alive\n\n"); err != nil {
				return
			}
		}
		if err := st.tell(ctx); err != nil {
			return
		}
		if err := st.tellChanges(ctx); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tell sends what changed since the last look.
func (st *stream) tell(ctx context.Context) error {
	all, err := st.vpn.Pulses(ctx, st.who.Account)
	if err != nil {
		if ctx.Err() == nil {
			st.api.opt.Log.WarnContext(ctx, "looking for events", "error", err)
		}
		return err
	}
	seen := map[string]vpn.Pulse{}
	for _, p := range all {
		seen[p.Gateway] = p
		if st.last[p.Gateway] == p {
			continue
		}
		e := GatewayEvent{p.Gateway, string(p.State), p.Version, p.Sessions, p.BytesIn, p.BytesOut}
		if err := st.send("vpn_gateway", e); err != nil {
			return err
		}
	}
	for gone := range st.last {
		if _, ok := seen[gone]; !ok {
			if err := st.send("vpn_gateway", GatewayEvent{Gateway: gone, State: string(vpn.GatewayDeleted)}); err != nil {
				return err
			}
		}
	}
	st.last = seen
	return nil
}

func (st *stream) send(name string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return st.write(fmt.Sprintf("event: %s\ndata: %s\n\n", name, raw))
}

func (st *stream) write(text string) error {
	_ = st.out.SetWriteDeadline(time.Now().Add(eventWrite)) // not every test's writer has one
	if _, err := st.w.Write([]byte(text)); err != nil {
		return err
	}
	return st.out.Flush()
}
