//! LLVM's optimisations and its BPF backend.

use crate::Error;
use crate::ir::Module;
use crate::ir::module::take_message;
use llvm_sys::core::{LLVMDisposeMemoryBuffer, LLVMGetBufferSize, LLVMGetBufferStart};
use llvm_sys::error::LLVMGetErrorMessage;
use llvm_sys::support::LLVMParseCommandLineOptions;
use llvm_sys::target::*;
use llvm_sys::target_machine::*;
use llvm_sys::transforms::pass_builder::*;
use std::ffi::CString;
use std::sync::Once;

/// LLVM's name of the target.
const TRIPLE: &std::ffi::CStr = c"bpfel";

/// The last processor without 32-bit arithmetic.
///
/// SBPF v3 extends 32-bit sums, differences and products with their sign; BPF, from its processor v3 on, with zeros, and the
/// backend leaves out extensions that it takes for made. On 64-bit registers both agree.
const PROCESSOR: &std::ffi::CStr = c"v2";

/// Loads and stores need no alignment.
const FEATURES: &std::ffi::CStr = c"+allows-misaligned-mem-access";

/// Options that LLVM takes on its command line alone.
///
/// A frame has 4,096 bytes on SBF and 512 elsewhere; a trap is the syscall `abort`, which is called already.
const OPTIONS: [&std::ffi::CStr; 3] = [c"sbf-lower", c"-bpf-stack-size=4096", c"-bpf-disable-trap-unreachable"];

/// The BPF backend.
pub struct Machine(LLVMTargetMachineRef);

impl Machine {
    /// Sets the backend up.
    ///
    /// # Errors
    /// The installed LLVM has no BPF backend.
    pub fn new() -> Result<Machine, Error> {
        static ONCE: Once = Once::new();
        ONCE.call_once(initialise);
        let (mut target, mut message) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the strings end in zero, the target is checked before its use.
        unsafe {
            if LLVMGetTargetFromTriple(TRIPLE.as_ptr(), &mut target, &mut message) != 0 {
                return Err(Error(format!("LLVM has no BPF backend: {}", take_message(message))));
            }
            Ok(Machine(LLVMCreateTargetMachine(
                target,
                TRIPLE.as_ptr(),
                PROCESSOR.as_ptr(),
                FEATURES.as_ptr(),
                LLVMCodeGenOptLevel::LLVMCodeGenLevelDefault,
                LLVMRelocMode::LLVMRelocDefault,
                LLVMCodeModel::LLVMCodeModelDefault,
            )))
        }
    }

    /// Runs optimisations, named as `opt -passes=` names them.
    ///
    /// # Errors
    /// LLVM doesn't know one of them.
    pub fn run(&self, module: &Module, passes: &str) -> Result<(), Error> {
        let text = CString::new(passes).map_err(|e| Error(e.to_string()))?;
        // SAFETY: the module and the machine are alive; the options are disposed of once.
        unsafe {
            let options = LLVMCreatePassBuilderOptions();
            let error = LLVMRunPasses(module.raw(), text.as_ptr(), self.0, options);
            LLVMDisposePassBuilderOptions(options);
            if error.is_null() {
                return Ok(());
            }
            Err(Error(format!("LLVM refuses `{passes}`: {}", take_message(LLVMGetErrorMessage(error)))))
        }
    }

    /// Compiles the module to a BPF object file.
    ///
    /// # Errors
    /// The backend refuses something. Some refusals end the process with LLVM's own message.
    pub fn compile(&self, module: &Module) -> Result<Vec<u8>, Error> {
        let (mut buffer, mut message) = (std::ptr::null_mut(), std::ptr::null_mut());
        let object = LLVMCodeGenFileType::LLVMObjectFile;
        // SAFETY: the buffer is read only when LLVM reports success, and disposed of once.
        unsafe {
            if LLVMTargetMachineEmitToMemoryBuffer(self.0, module.raw(), object, &mut message, &mut buffer) != 0 {
                return Err(Error(format!("the BPF backend refuses the program: {}", take_message(message))));
            }
            let start = LLVMGetBufferStart(buffer).cast::<u8>();
            let bytes = std::slice::from_raw_parts(start, LLVMGetBufferSize(buffer)).to_vec();
            LLVMDisposeMemoryBuffer(buffer);
            Ok(bytes)
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // SAFETY: made in `new`, disposed of here alone.
        unsafe { LLVMDisposeTargetMachine(self.0) }
    }
}

fn initialise() {
    let options: Vec<_> = OPTIONS.iter().map(|o| o.as_ptr()).collect();
    // SAFETY: called once, before any other use of the backend.
    unsafe {
        LLVMInitializeBPFTargetInfo();
        LLVMInitializeBPFTarget();
        LLVMInitializeBPFTargetMC();
        LLVMInitializeBPFAsmPrinter();
        LLVMParseCommandLineOptions(options.len() as i32, options.as_ptr(), std::ptr::null());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: a 32-bit difference was subtracted in 32 bits and not extended, so that SBPF used it with its sign.
    #[test]
    fn arithmetic_of_32_bits_runs_on_64_bit_registers() {
        let text = "define i64 @f(i32 %x, i32 %y) { %d = sub i32 %x, %y %w = zext i32 %d to i64 ret i64 %w }
             @use = global ptr @f";
        let mut module = Module::empty();
        module.link_text("test", text).unwrap();
        let object = Machine::new().unwrap().compile(&module).unwrap();
        // The low bits of an instruction's first byte are its class: 4 is 32-bit arithmetic.
        let code: Vec<_> = object[64..].chunks(8).take(6).map(|instruction| instruction[0]).collect();
        assert!(code.contains(&0x1f), "no 64-bit subtraction in {code:x?}");
        assert!(!code.contains(&0x1c) && !code.contains(&0xbc), "32-bit arithmetic in {code:x?}");
    }
}
