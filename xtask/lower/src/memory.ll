; The C memory functions on Solana's syscalls. They get the program's target and data layout when they are linked in.

declare void @sol_memcpy_(ptr, ptr, i64)
declare void @sol_memmove_(ptr, ptr, i64)
declare void @sol_memset_(ptr, i32, i64)
declare void @sol_memcmp_(ptr, ptr, i64, ptr)

define ptr @memcpy(ptr %to, ptr %from, i64 %length) #0 {
  call void @sol_memcpy_(ptr %to, ptr %from, i64 %length)
  ret ptr %to
}

define ptr @memmove(ptr %to, ptr %from, i64 %length) #0 {
  call void @sol_memmove_(ptr %to, ptr %from, i64 %length)
  ret ptr %to
}

define ptr @memset(ptr %to, i32 %byte, i64 %length) #0 {
  call void @sol_memset_(ptr %to, i32 %byte, i64 %length)
  ret ptr %to
}

define i32 @memcmp(ptr %x, ptr %y, i64 %length) #0 {
  %result = alloca i32, align 4
  store i32 0, ptr %result, align 4
  call void @sol_memcmp_(ptr %x, ptr %y, i64 %length, ptr %result)
  %order = load i32, ptr %result, align 4
  ret i32 %order
}

define i32 @bcmp(ptr %x, ptr %y, i64 %length) #0 {
  %order = call i32 @memcmp(ptr %x, ptr %y, i64 %length)
  ret i32 %order
}

; Without this the optimiser would turn the bodies into calls of themselves.
attributes #0 = { nounwind "no-builtins" }
