package api

import (
	"context"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
)

// GatewayNode is a gateway node as staff see it.
type GatewayNode struct {
	ID         string        `json:"id" example:"node_..."`
	Name       string        `json:"name"`
	Region     string        `json:"region"`
	Location   string        `json:"location"`
	Addresses  []string      `json:"addresses" nullable:"false"`
	Version    string        `json:"version"`
	Health     string        `json:"health" enum:"new,online,behind,offline"`
	Generation uint64        `json:"generation" doc:"Desired"`
	Applied    uint64        `json:"applied" doc:"Last reported"`
	LastSeenAt *time.Time    `json:"last_seen_at,omitempty"`
	Draining   bool          `json:"draining" doc:"Takes no new logins and no new VPN gateways"`
	Problems   []NodeProblem `json:"problems" nullable:"false" doc:"What the node could not apply"`
	CreatedAt  time.Time     `json:"created_at"`
}

// NodeProblem is a gateway that a node could not apply.
type NodeProblem struct {
	Gateway string    `json:"gateway"`
	Problem string    `json:"problem" doc:"As the node says it"`
	At      time.Time `json:"at"`
}

// GatewayNodePatch takes a node out of service gently, or brings it back.
type GatewayNodePatch struct {
	Draining bool `json:"draining"`
}

// GatewayNodes registers what staff see of the gateway nodes, and do.
func GatewayNodes(a *API, s *fleet.Service, now func() time.Time) {
	Get(a, "/admin/gateway-nodes", Operation{ID: "admin-list-gateway-nodes", Summary: "Gateway nodes", Tag: "Staff", Access: Staff("fleet.read")},
		func(ctx context.Context, _ *struct{}) (*Body[List[GatewayNode]], error) {
			all, err := s.Nodes(ctx)
			if err != nil {
				return nil, err
			}
			failing, err := s.Failing(ctx)
			at := now()
			return page(all, "", err, func(n fleet.Node) GatewayNode { return toNode(n, failing, at) })
		})
	Patch(a, "/admin/gateway-nodes/{id}", Operation{
		ID: "admin-update-gateway-node", Summary: "Drain a gateway node, or end that", Tag: "Staff", Access: Staff(account.PermFleetWrite),
		Detail: "While it drains, new logins there are answered with 503 and a reason, and new VPN gateways go elsewhere. Sessions go on and reconnect.",
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Body GatewayNodePatch
		},
		) (*Body[GatewayNode], error) {
			n, err := s.Drain(ctx, Who(ctx), in.ID, in.Body.Draining)
			if err != nil {
				return nil, err
			}
			failing, err := s.Failing(ctx)
			return &Body[GatewayNode]{toNode(n, failing, now())}, err
		})
}

func toNode(n fleet.Node, failing []fleet.Observation, at time.Time) GatewayNode {
	w := GatewayNode{
		Problems: []NodeProblem{}, ID: n.ID, Name: n.Name, Region: n.Region, Location: n.Location, Addresses: Items(n.Addresses, netip.Addr.String),
		Version: n.Version, Health: string(n.Health(at)), Generation: n.Generation, Applied: n.Applied, LastSeenAt: toTime(n.LastSeen),
		CreatedAt: n.CreatedAt, Draining: n.Draining,
	}
	for _, o := range failing {
		if o.Node == n.ID {
			w.Problems = append(w.Problems, NodeProblem{o.Gateway, o.Problem, o.At})
		}
	}
	return w
}
