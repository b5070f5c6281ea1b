package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
)

// SSLClientDevice is a device of a client whose devices need approval.
type SSLClientDevice struct {
	ID        string    `json:"id" example:"sdev-..."`
	State     string    `json:"state" enum:"waiting,approved,refused"`
	KnownBy   string    `json:"known_by" enum:"id,certificate,platform" doc:"id: what the device says of itself; certificate: what it proved, until renewal; platform: it says nothing else, and the entry stands for all such devices"`
	Label     string    `json:"label" doc:"Platform and model, as the device says"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at" doc:"Last time that everything but the approval was right"`
}

// clientDeviceID is the path of one device.
type clientDeviceID struct {
	ResourceID
	Device string `path:"device" maxLength:"40"`
}

func toDevice(d vpn.Device) SSLClientDevice {
	return SSLClientDevice{d.ID, string(d.State), string(d.KnownBy), d.Label, d.CreatedAt, d.SeenAt}
}

// clientDevices registers the operations of devices that need approval.
func clientDevices(a *API, s *vpn.Service) {
	const tag = "SSL clients"
	Get(a, "/ssl-clients/{id}/devices", Operation{
		ID: "list-ssl-client-devices", Summary: "Devices of a client that needs approval for them", Tag: tag, Access: Customer,
		Detail: "Those that wait come first. Each reading is recorded.",
	},
		func(ctx context.Context, in *ResourceID) (*private[List[SSLClientDevice]], error) {
			all, err := s.Devices(ctx, Who(ctx), in.ID)
			return &private[List[SSLClientDevice]]{secretCache, List[SSLClientDevice]{Items: Items(all, toDevice)}}, err
		})
	act := func(do func(context.Context, account.Principal, string, string) error) func(context.Context, *clientDeviceID) (*struct{}, error) {
		return func(ctx context.Context, in *clientDeviceID) (*struct{}, error) {
			return nil, do(ctx, Who(ctx), in.ID, in.Device)
		}
	}
	Post(a, "/ssl-clients/{id}/devices/{device}/approve", Operation{ID: "approve-ssl-client-device", Summary: "Let a device in", Tag: tag, Access: Customer},
		act(s.ApproveDevice))
	Post(a, "/ssl-clients/{id}/devices/{device}/refuse", Operation{ID: "refuse-ssl-client-device", Summary: "Keep a device out; the client's sessions end", Tag: tag, Access: Customer},
		act(s.RefuseDevice))
	Delete(a, "/ssl-clients/{id}/devices/{device}", Operation{ID: "remove-ssl-client-device", Summary: "Forget a device; the client's sessions end", Tag: tag, Access: Customer},
		act(s.RemoveDevice))
}
