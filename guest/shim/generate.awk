# Makes the wrappers from calls.tab: two functions, MPI_X and PMPI_X, for each line. Both are needed: C programs and Java call MPI_X,
# Open MPI's Fortran bindings call PMPI_X.
#
# A wrapper takes its arguments as so many "long" and passes them on. That is right for every function of the table because all
# arguments and results are integers or pointers of at most 64 bits:
#   x86-64 System V  each takes one integer register, or from the seventh on one eight-byte place on the stack; what an int leaves
#                    undefined in the upper half stays as it was
#   AArch64 Linux    the same with eight registers (AAPCS64, 6.8.2); Apple's variant packs the stack and would not fit
# So one binary serves Open MPI (handles are pointers), MPICH (handles are ints) and the ABI of MPI 5.0. What would not fit: floating
# point (MPI_Wtime), structures by value, a variable number of arguments (MPI_Pcontrol), 32-bit machines with 64-bit MPI_Offset.
# None of these is in the table.

BEGIN {
    print "/* Generated from calls.tab. */"
    print "#include \"gate.h\""
    print ""
    print "#define EXPORT __attribute__((visibility(\"default\")))"
    kinds[""] = "SC_CALL_ORDINARY"
    kinds["init"] = "SC_CALL_INIT"
    kinds["session"] = "SC_CALL_SESSION"
    kinds["finalize"] = "SC_CALL_FINALIZE"
}

/^#/ || NF == 0 { next }

NF > 3 || $1 !~ /^MPIX?_[A-Za-z0-9_]+$/ || $2 !~ /^[0-9]+$/ || !($3 in kinds) || ($1 in seen) {
    printf "calls.tab:%d: bad line: %s\n", FNR, $0 >"/dev/stderr"
    failed = 1
    exit 1
}

{
    seen[$1] = 1
    parameters = arguments = types = ""
    for (i = 0; i < $2; i++) {
        parameters = parameters (i ? ", " : "") "long a" i
        types = types (i ? ", " : "") "long"
        arguments = arguments (i ? ", " : "") "a" i
    }
    if ($2 == 0)
        parameters = types = "void"
    wrapper($1)
    wrapper("P" $1)
}

# The real function is looked up at the first call; two threads that do it at once find the same.
function wrapper(name) {
    printf "\nEXPORT long %s(%s);\n", name, parameters
    printf "long %s(%s) {\n", name, parameters
    printf "    typedef long function(%s);\n", types
    printf "    static function *_Atomic real;\n"
    printf "    function *call = atomic_load_explicit(&real, memory_order_relaxed);\n"
    printf "    if (__builtin_expect(!call, 0)) {\n"
    printf "        call = (function *)sc_gate_real_function(\"%s\");\n", name
    printf "        atomic_store_explicit(&real, call, memory_order_relaxed);\n"
    printf "    }\n"
    printf "    sc_gate_enter(%s);\n", kinds[$3]
    printf "    long result = call(%s);\n", arguments
    # The result is an int: the upper half of the register is undefined.
    printf "    sc_gate_leave(%s, (int)result == 0);\n", kinds[$3]
    printf "    return result;\n}\n"
}

END {
    if (!failed && length(seen) == 0) {
        print "calls.tab: empty" >"/dev/stderr"
        exit 1
    }
}
