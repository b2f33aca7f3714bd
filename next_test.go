package dataknobs_test

import (
	"testing"

	"dataknobs.dev/dataknobs"
)

func TestWhatAWriteMakesOfARecord(t *testing.T) {
	there := patchRecord()
	put := dataknobs.NewRecord("other", dataknobs.F("new", 1))
	set := []dataknobs.Change{{Path: dataknobs.Names("s"), Value: dataknobs.Int(5)}}
	bad := []dataknobs.Change{{Path: dataknobs.Names("s", "b"), Value: dataknobs.Int(5)}}
	const patched = "{'a': {'b': 1, 'c': 2}, 'tags': ['x', 'y'], 'n': null, 's': 5} _meta {'source': 'test'}"
	tests := []struct {
		name  string
		write dataknobs.Write
		old   *dataknobs.Record
		want  string // "" is no record
		code  dataknobs.Code
	}{
		{"put nothing there", dataknobs.Write{Op: dataknobs.WritePut, Record: put}, nil, "{'new': 1}", 0},
		{"put over", dataknobs.Write{Op: dataknobs.WritePut, Record: put}, there, "{'new': 1}", 0},
		{"create", dataknobs.Write{Op: dataknobs.WritePut, Record: put, If: dataknobs.IfAbsent}, nil, "{'new': 1}", 0},
		{"create what is there", dataknobs.Write{Op: dataknobs.WritePut, Record: put, If: dataknobs.IfAbsent}, there, "", dataknobs.AlreadyExists},
		{"replace", dataknobs.Write{Op: dataknobs.WritePut, Record: put, If: dataknobs.IfPresent}, there, "{'new': 1}", 0},
		{"replace nothing", dataknobs.Write{Op: dataknobs.WritePut, Record: put, If: dataknobs.IfPresent}, nil, "", dataknobs.NotFound},
		{"put over its revision", dataknobs.Write{Op: dataknobs.WritePut, Record: put, Revision: "r1"}, there, "{'new': 1}", 0},
		{"put over another revision", dataknobs.Write{Op: dataknobs.WritePut, Record: put, Revision: "r2"}, there, "", dataknobs.Conflict},
		{"put over a revision of nothing", dataknobs.Write{Op: dataknobs.WritePut, Record: put, Revision: "r1"}, nil, "", dataknobs.NotFound},
		{"patch", dataknobs.Write{Op: dataknobs.WritePatch, Changes: set}, there, patched, 0},
		{"patch nothing", dataknobs.Write{Op: dataknobs.WritePatch, Changes: set}, nil, "", dataknobs.NotFound},
		{"patch another revision", dataknobs.Write{Op: dataknobs.WritePatch, Changes: set, Revision: "r2"}, there, "", dataknobs.Conflict},
		{"patch what cannot be set", dataknobs.Write{Op: dataknobs.WritePatch, Changes: bad}, there, "", dataknobs.InvalidArgument},
		{"delete", dataknobs.Write{Op: dataknobs.WriteDelete}, there, "", 0},
		{"delete nothing", dataknobs.Write{Op: dataknobs.WriteDelete}, nil, "", dataknobs.NotFound},
		{"delete another revision", dataknobs.Write{Op: dataknobs.WriteDelete, Revision: "r2"}, there, "", dataknobs.Conflict},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.write.ID = "id1"
			rec, err := tt.write.Next(tt.old)
			if dataknobs.CodeOf(err) != tt.code {
				t.Fatalf("Next: %v, want code %v", err, tt.code)
			}
			// What the changes cannot do is not for Check to say.
			if want := tt.code; want != dataknobs.InvalidArgument && dataknobs.CodeOf(tt.write.Check(tt.old)) != want {
				t.Errorf("Check: %v, want code %v", tt.write.Check(tt.old), want)
			}
			got := ""
			if rec != nil {
				got = recordText(rec)
			}
			if got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
			if rec != nil && (rec.ID != "id1" || rec == tt.old || rec == put) {
				t.Errorf("the record has ID %q, or is not a copy", rec.ID)
			}
		})
	}
}
