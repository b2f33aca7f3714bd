package codec

import "dataknobs.dev/dataknobs"

// A Vector is the values of one slot over a run of rows.
type Vector struct {
	// Values are those of the rows, one each; or, if Codes is not nil, each value
	// that there is once or a few times, behind a null.
	Values []dataknobs.Value
	// Codes, if not nil, holds for each row the index of its value in Values; 0
	// for null.
	Codes []uint16
}

// At returns the value of row i.
func (v *Vector) At(i int) dataknobs.Value {
	if v.Codes != nil {
		return v.Values[v.Codes[i]]
	}
	return v.Values[i]
}

// A VectorVisitor is a Visitor that also takes whole columns. A format that can
// read so calls Vectors in place of Row; which of them is its own choice, for
// each block.
type VectorVisitor interface {
	Visitor
	// Vectors takes rows of the block, in order: a Vector for each of the scan's
	// Slots. They are valid only during the call. Errors are as those of Row.
	Vectors(rows int, slots []Vector) error
}

// A VectorChunk is a Chunk that also takes whole columns.
type VectorChunk interface {
	Chunk
	// AppendVectors appends rows: a Vector for each value that AppendRow would take.
	// It keeps nothing of them. After an error none of the rows is there.
	AppendVectors(rows int, columns []Vector) error
}
