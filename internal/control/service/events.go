package service

// Topics that this module publishes.
const (
	TopicActive          = "service.active"
	TopicProvisionFailed = "service.provision_failed"
	TopicSuspended       = "service.suspended"
	TopicResumed         = "service.resumed"
	TopicTerminated      = "service.terminated"
	TopicUpgraded        = "service.upgraded"
	TopicUpgradeFailed   = "service.upgrade_failed"
)

// Changed is the payload of all topics of this module.
type Changed struct {
	Service  string
	Account  string
	Order    string
	Line     string
	Resource string
	Problem  string // code; of provision_failed and upgrade_failed only
}

// topicOrderPaid is published by the module order, which stands later.
const topicOrderPaid = "order.paid"

type orderPaid struct{ Order string }
