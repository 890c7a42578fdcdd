package main

import (
	"testing"

	"github.com/flannel-io/flannel/pkg/lease"
	"github.com/flannel-io/flannel/pkg/subnet"
)

func vxlan(subnet, address, mac string) record {
	return record{subnet: subnet, notes: notes{
		managed: "true", kind: "vxlan", data: `{"VNI":1,"VtepMAC":"` + mac + `"}`, address: address,
	}}
}

func told(t *testing.T, before, after map[string]record) []string {
	t.Helper()
	config, err := subnet.ParseConfig(`{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}`)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, event := range difference(config, before, after) {
		word := map[lease.EventType]string{lease.EventAdded: "+", lease.EventRemoved: "-"}[event.Type]
		all = append(all, word+event.Lease.Subnet.String()+" "+event.Lease.Attrs.PublicIP.String())
	}
	return all
}

func TestBackendsAreToldWhatChanges(t *testing.T) {
	barn, shed := vxlan("10.244.1.0/24", "192.0.2.1", "02:00:00:00:00:01"), vxlan("10.244.2.0/24", "192.0.2.2", "02:00:00:00:00:02")
	silent := record{subnet: "10.244.1.0/24"}
	stranger := vxlan("10.9.1.0/24", "192.0.2.9", "02:00:00:00:00:09")
	gateway := barn
	gateway.notes.kind, gateway.notes.data = "host-gw", "null"
	other := vxlan("10.244.1.0/24", "192.0.2.3", "02:00:00:00:00:01")
	cases := []struct {
		name          string
		before, after map[string]record
		want          []string
	}{
		{"nothing new", map[string]record{"a": barn}, map[string]record{"a": barn}, nil},
		{"a node that says nothing yet", nil, map[string]record{"a": silent}, nil},
		{"a subnet of another network", nil, map[string]record{"a": stranger}, nil},
		{"a node comes", map[string]record{"a": silent}, map[string]record{"a": barn}, []string{"+10.244.1.0/24 192.0.2.1"}},
		{"a node goes", map[string]record{"a": barn}, nil, []string{"-10.244.1.0/24 192.0.2.1"}},
		{"a node falls silent", map[string]record{"a": barn}, map[string]record{"a": silent}, []string{"-10.244.1.0/24 192.0.2.1"}},
		{"a new address replaces the old", map[string]record{"a": barn}, map[string]record{"a": other}, []string{"+10.244.1.0/24 192.0.2.3"}},
		{"a new subnet", map[string]record{"a": barn}, map[string]record{"a": shed},
			[]string{"-10.244.1.0/24 192.0.2.1", "+10.244.2.0/24 192.0.2.2"}},
		{"a subnet goes to another node", map[string]record{"a": barn}, map[string]record{"b": other},
			[]string{"-10.244.1.0/24 192.0.2.1", "+10.244.1.0/24 192.0.2.3"}},
		{"another backend", map[string]record{"a": barn}, map[string]record{"a": gateway},
			[]string{"-10.244.1.0/24 192.0.2.1", "+10.244.1.0/24 192.0.2.1"}},
	}
	for _, c := range cases {
		got := told(t, c.before, c.after)
		if len(got) != len(c.want) {
			t.Errorf("%s: %q, wanted %q", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %q, wanted %q", c.name, got, c.want)
			}
		}
	}
}

func TestAnnotationsComeBackAsTheyWere(t *testing.T) {
	said := vxlan("10.244.1.0/24", "192.0.2.1", "02:00:00:00:00:01").notes
	var back node
	back.Metadata.Annotations = make(map[string]string)
	for key, value := range said.annotations() {
		if value != nil {
			back.Metadata.Annotations[key] = *value
		}
	}
	back.Spec.PodCIDRs = []string{"fd00:1::/64", "10.244.1.7/24"}
	got := recordOf(back)
	if got.notes != said || got.subnet != "10.244.1.0/24" || got.subnetV6 != "fd00:1::/64" {
		t.Errorf("%+v", got)
	}
	if removed, known := said.annotations()[backendV6Data]; removed != nil || !known {
		t.Error("what is not said must be removed")
	}
}
